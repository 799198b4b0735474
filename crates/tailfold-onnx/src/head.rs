//! Classifier heads of every kind, as one `Gemm` with a bias into which offsets can be folded.

use tailfold_spec::{Architecture, Head};

use crate::OnnxError;
use crate::builder::Value;
use crate::layers::Layers;
use crate::norm::rounded;
use crate::proto::NodeProto;

/// Added to a squared norm before the square root, so that an all-zero feature or weight stays zero instead
/// of becoming NaN.
const NORM_EPSILON: f32 = 1e-12;

impl Layers<'_> {
    /// Adds the head of `arch` behind `feature`.
    ///
    /// # Shapes
    /// `[feature_dim]` to `[classes]`, named `logits`.
    pub(crate) fn head(
        &mut self,
        arch: &Architecture,
        feature: &Value,
    ) -> Result<Value, OnnxError> {
        let (classes, dim) = (arch.classes, arch.feature_dim());
        let weight = self.checkpoint.tensor("head.weight", &[classes, dim])?;
        let (feature, weight, bias) = match arch.head {
            Head::Linear => {
                let bias = self.checkpoint.tensor("head.bias", &[classes])?;
                (feature.clone(), weight.to_vec(), bias.to_vec())
            }
            Head::Cosine { scale } => (
                self.normalized(feature),
                self.scaled_rows(weight, dim, scale)?,
                vec![0.0; classes],
            ),
        };
        let weight = self
            .graph
            .constant("head.weight".to_owned(), &[classes, dim], &weight);
        let bias = self
            .graph
            .constant("head.bias".to_owned(), &[classes], &bias);
        let node = NodeProto::new("Gemm", "head", [&feature.name, &weight, &bias], ["logits"])
            .attr_int("transB", 1);
        Ok(self.graph.node(node, vec![classes]))
    }

    /// Adds the nodes of `z / sqrt(|z|^2 + 1e-12)`.
    fn normalized(&mut self, z: &Value) -> Value {
        let epsilon = self
            .graph
            .constant("head.epsilon".to_owned(), &[1], &[NORM_EPSILON]);
        let node = NodeProto::new(
            "ReduceSumSquare",
            "head.squares",
            [&z.name],
            ["head.squares"],
        )
        .attr_ints("axes", &[1])
        .attr_int("keepdims", 1);
        let squares = self.graph.node(node, vec![1]);
        let node = NodeProto::new("Add", "head.add", [&squares.name, &epsilon], ["head.add"]);
        let sum = self.graph.node(node, vec![1]);
        let norm = self.unary("Sqrt", "head.norm", &sum);
        let node = NodeProto::new(
            "Div",
            "head.normalize",
            [&z.name, &norm.name],
            ["head.normalize"],
        );
        self.graph.node(node, z.shape.clone())
    }

    /// Returns `scale w_j / sqrt(|w_j|^2 + 1e-12)` for each row of `weight`, `[classes, dim]`.
    fn scaled_rows(&self, weight: &[f32], dim: usize, scale: f32) -> Result<Vec<f32>, OnnxError> {
        let rows = weight.chunks_exact(dim).flat_map(|row| {
            let squares: f64 = row.iter().map(|&w| f64::from(w).powi(2)).sum();
            let factor = f64::from(scale) / (squares + f64::from(NORM_EPSILON)).sqrt();
            row.iter().map(move |&w| f64::from(w) * factor)
        });
        rounded(self.checkpoint, "head.weight", rows)
    }
}
