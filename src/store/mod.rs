//! A dataset: discovery of its files, the dotted view over any layout, the DuckDB session, schema facts.
