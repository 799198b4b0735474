//! Lowering of AveragePool.

use tailfold_kernels::{Border, Operation, Window};
use tailfold_onnx::proto::NodeProto;

use super::weighted::failed;
use super::{Lowering, geometry};
use crate::IntegerError;
use crate::graph::output;

impl<'a> Lowering<'a> {
    /// Lowers AveragePool over an image; returns false when it stays float.
    pub(super) fn average_pool(
        &mut self,
        index: usize,
        node: &'a NodeProto,
    ) -> Result<bool, IntegerError> {
        let (Some(x), Some(&[rows, columns])) = (self.codes_in(node, 0), node.ints("kernel_shape"))
        else {
            return Ok(false);
        };
        let (&[_, channels, height, width], [Ok(rows), Ok(columns)]) =
            (&x.shape[..], [rows, columns].map(usize::try_from))
        else {
            return Ok(false);
        };
        let Some(window) = geometry::window(node, [rows, columns], [height, width])? else {
            return Ok(false);
        };
        let counts_padding = node.int("count_include_pad").unwrap_or(0) != 0;
        let size = window
            .output(height, width)
            .map_err(|error| failed(node, error))?;
        let size = if node.int("ceil_mode").unwrap_or(0) == 0 {
            size
        } else {
            let larger = hanging_over(&window, [height, width], size);
            let valid = node
                .find_attr("auto_pad")
                .is_some_and(|a| a.s() == b"VALID");
            // ONNX's formula for VALID has no window beyond the image, but ONNX Runtime adds one.
            if valid && larger != size {
                return Ok(false);
            }
            larger
        };
        let sees = every_window_sees_a_pixel(&window, counts_padding);
        let Some(ending) = self.ending(output(node))?.filter(|_| sees) else {
            return Ok(false);
        };
        let operation = Operation::AveragePool {
            input: x.tensor,
            window,
            counts_padding,
            scales: [x.steps.scale, ending.steps.scale],
            clamp: ending.clamp,
            output: self.drafts.tensor([channels, size[0], size[1]]),
        };
        let shape = vec![1, channels, size[0], size[1]];
        self.simple(index, node, &x, operation, ending, shape);
        Ok(true)
    }
}

/// Returns the size of the result with `ceil_mode`, given the `size` without it.
///
/// An axis gets one more pixel when the windows do not cover the padded image completely, unless the
/// additional window would begin in the padding behind the image (ONNX AveragePool, opset 19).
fn hanging_over(window: &Window, image: [usize; 2], size: [usize; 2]) -> [usize; 2] {
    let pads = window.pads;
    let pads = [[pads.top, pads.bottom], [pads.left, pads.right]];
    [0, 1].map(|axis| {
        let [before, after] = pads[axis];
        let reach = (window.kernel[axis] - 1) * window.dilation[axis] + 1;
        let rest = (before + image[axis] + after - reach) % window.stride[axis];
        let begins = size[axis] * window.stride[axis];
        size[axis] + usize::from(rest > 0 && begins < before + image[axis])
    })
}

/// Returns whether every window contains a pixel of the image: a window in the padding alone has no mean when the
/// padding does not count.
fn every_window_sees_a_pixel(window: &Window, counts_padding: bool) -> bool {
    let pads = window.pads;
    let [rows, columns] = window.kernel;
    let inside = pads.top.max(pads.bottom) < rows && pads.left.max(pads.right) < columns;
    // The taps of a dilated window may all lie in the padding, on both sides of a narrow image.
    let dense = window.dilation == [1, 1] || pads == Border::default();
    inside && (counts_padding || dense)
}
