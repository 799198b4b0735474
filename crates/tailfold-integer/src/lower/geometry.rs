//! Windows of Conv and pooling nodes.

use tailfold_kernels::{Border, Window};
use tailfold_onnx::proto::NodeProto;

use crate::IntegerError;

/// Upper bound of window sizes, strides, dilations and paddings: no network reaches it, and below it no sum
/// or product overflows.
const LARGEST: usize = 1 << 16;

/// Returns the window of `node` with `kernel` taps over an image of `size`, `[height, width]`; `None` when it
/// is not two-dimensional or has an unknown `auto_pad`.
///
/// # Errors
/// [`IntegerErrorKind::Shape`](crate::IntegerErrorKind::Shape), which names the node, for a length out of
/// range.
pub fn window(
    node: &NodeProto,
    kernel: [usize; 2],
    size: [usize; 2],
) -> Result<Option<Window>, IntegerError> {
    let wrong = |attribute: &str, values: &[i64]| {
        IntegerError::shape(node, format!("{attribute} are {values:?}"))
    };
    if !kernel.iter().all(|k| (1..=LARGEST).contains(k)) {
        let text = format!("a window has {kernel:?} taps");
        return Err(IntegerError::shape(node, text));
    }
    let pair = |attribute: &str| match node.ints(attribute) {
        None => Ok([1, 1]),
        Some(&[a, b]) => match [usize::try_from(a), usize::try_from(b)] {
            [Ok(a), Ok(b)] if [a, b].iter().all(|n| (1..=LARGEST).contains(n)) => Ok([a, b]),
            _ => Err(wrong(attribute, &[a, b])),
        },
        Some(other) => Err(wrong(attribute, other)),
    };
    let (stride, dilation) = (pair("strides")?, pair("dilations")?);
    if let Some(said) = node.ints("kernel_shape")
        && said != kernel.map(|k| i64::try_from(k).unwrap_or(i64::MAX))
    {
        return Err(wrong("kernel_shape", said));
    }
    let auto = node.find_attr("auto_pad").map(|a| a.s().to_vec());
    let pads = match auto.as_deref() {
        None | Some(b"NOTSET" | b"") => match node.ints("pads") {
            None => [0; 4],
            Some(pads) => {
                let length = |p: &i64| usize::try_from(*p).ok().filter(|&p| p <= LARGEST);
                let whole: Option<Vec<usize>> = pads.iter().map(length).collect();
                let whole = whole.and_then(|p| <[usize; 4]>::try_from(p).ok());
                whole.ok_or_else(|| wrong("pads", pads))?
            }
        },
        Some(b"VALID") => [0; 4],
        Some(same @ (b"SAME_UPPER" | b"SAME_LOWER")) => {
            let total = [0, 1].map(|i| {
                let reach = (kernel[i] - 1) * dilation[i] + 1;
                (size[i].div_ceil(stride[i]).saturating_sub(1) * stride[i] + reach)
                    .saturating_sub(size[i])
            });
            let small = total.map(|t| t / 2);
            let large = [0, 1].map(|i| total[i] - small[i]);
            if same == b"SAME_UPPER" {
                [small[0], small[1], large[0], large[1]]
            } else {
                [large[0], large[1], small[0], small[1]]
            }
        }
        Some(_) => return Ok(None),
    };
    let [top, left, bottom, right] = pads;
    Ok(Some(Window {
        kernel,
        stride,
        dilation,
        pads: Border {
            top,
            left,
            bottom,
            right,
        },
    }))
}
