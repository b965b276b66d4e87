//! Plans over a store.
