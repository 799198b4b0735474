//! One test binary over the whole chain.
