//! What correlations become: plans, or findings.
