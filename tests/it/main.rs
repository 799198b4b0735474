//! One test binary over the whole chain.
mod burn_export;
