//! Layers that the networks share.

mod buffers;
mod channels_last;
mod conv_norm;
mod gradients;
mod pool;
mod shortcut;

pub(crate) use conv_norm::conv_norm;
pub(crate) use pool::mean_pixel;
pub(crate) use shortcut::subsample_and_widen;
