//! Why a rule did or did not match (`product.md` 9): funnel, predicates, nearest misses, cause.
