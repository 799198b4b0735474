//! Observes the values of named tensors inside a network, for calibration and to find where two models
//! diverge.

use std::sync::Arc;

use tract_onnx::prelude::*;
use tract_onnx::tract_core::ops::konst::Const;
use tract_onnx::tract_core::plan::eval;

use tailfold_onnx::Model;

use crate::blame::blame;
use crate::boundary::guarded;
use crate::depthwise;
use crate::error::{TractError, TractErrorKind, chain};
use crate::parse::parse;
use crate::shapes::{check_operators, check_sizes};

/// A network with chosen intermediate tensors as outputs.
#[derive(Clone, Debug)]
pub struct TensorObserver {
    plan: Arc<TypedRunnableModel>,
    input: [usize; 3],
    /// For each node, the outputs and tensors that are shown as soon as the node is computed, while they are
    /// in the processor's caches.
    computed: Vec<Vec<(usize, usize)>>,
    /// Outputs of the plan and tensors that are constants, so no node computes them.
    constant: Vec<(usize, usize)>,
    shapes: Vec<Option<Vec<usize>>>,
    name: String,
}

impl TensorObserver {
    /// Prepares the ONNX file `bytes` to observe `tensors`, given by their ONNX names, in that order.
    ///
    /// # Errors
    /// [`TractErrorKind::NoTensor`], which names the first missing tensor, or the errors of
    /// [`crate::TractClassifier::from_onnx`].
    pub fn from_onnx(bytes: &[u8], name: &str, tensors: &[String]) -> Result<Self, TractError> {
        let onnx =
            Model::from_bytes(bytes, name).map_err(|cause| TractError::quantized(name, cause))?;
        check_operators(&onnx, name, &[])?;
        guarded(|| Self::prepare(bytes, name, tensors)).unwrap_or_else(|message| {
            Err(TractErrorKind::Panic
                .error(format!(
                    "node `{node}`: tract cannot take it: {message}",
                    node = blame(&onnx, &[])
                ))
                .at(name))
        })
    }

    fn prepare(bytes: &[u8], name: &str, tensors: &[String]) -> Result<Self, TractError> {
        let load = |e: tract_onnx::prelude::TractError| {
            TractErrorKind::Model.error(format!(
                "tract cannot load {name}: {message}",
                message = chain(&e)
            ))
        };
        let (mut model, input) = parse(bytes, name, &[])?;
        check_sizes(&mut model, name)?;
        for tensor in tensors {
            if model.find_outlet_label(tensor).is_none()
                && !model.nodes().iter().any(|n| n.name == *tensor)
            {
                return Err(
                    TractErrorKind::NoTensor.error(format!("{name} has no tensor `{tensor}`"))
                );
            }
        }
        model.select_outputs_by_name(tensors).map_err(load)?;
        // The optimiser does not change the layout of outputs, because they are the model's interface.
        let typed = model.into_typed().and_then(TypedModel::into_decluttered);
        let mut model = typed.map_err(load)?;
        depthwise::replace(&mut model).map_err(load)?;
        model.optimize().map_err(load)?;
        let shapes = (0..tensors.len())
            .map(|i| {
                Ok(model
                    .output_fact(i)?
                    .shape
                    .as_concrete()
                    .map(<[usize]>::to_vec))
            })
            .collect::<TractResult<_>>()
            .map_err(load)?;
        // A tensor that another node reads need not be kept until the end.
        let watched = model.output_outlets().map_err(load)?.to_vec();
        let is_constant = |outlet: &OutletId| model.nodes()[outlet.node].op_is::<Const>();
        let read = |outlet: &OutletId| !model.outlet_successors(*outlet).is_empty();
        let kept = watched.iter().copied();
        let kept: Vec<OutletId> = kept.filter(|o| is_constant(o) || !read(o)).collect();
        let mut computed = vec![Vec::new(); model.nodes().len()];
        let mut constant = Vec::new();
        for (tensor, outlet) in watched.iter().enumerate() {
            match kept.iter().position(|k| k == outlet) {
                Some(output) if is_constant(outlet) => constant.push((output, tensor)),
                _ => computed[outlet.node].push((outlet.slot, tensor)),
            }
        }
        model.select_output_outlets(&kept).map_err(load)?;
        Ok(Self {
            computed,
            constant,
            shapes,
            plan: model.into_runnable().map_err(load)?,
            input,
            name: name.to_owned(),
        })
    }

    /// Returns the shape of one image, `[channels, height, width]`.
    pub fn input_shape(&self) -> [usize; 3] {
        self.input
    }

    /// Returns the shape of each tensor for one image, in the order of the names; `None` if the shape depends
    /// on values.
    pub fn shapes(&self) -> &[Option<Vec<usize>>] {
        &self.shapes
    }

    /// Runs one preprocessed image, `channels * height * width` values, and passes each tensor's index and
    /// values to `visit`, in the order of computation.
    ///
    /// # Errors
    /// [`TractErrorKind::Run`] when the image does not fit or execution fails.
    pub fn observe(
        &self,
        image: &[f32],
        visit: impl FnMut(usize, &[f32]),
    ) -> Result<(), TractError> {
        let ran = guarded(|| self.run(image, visit).map_err(|error| chain(&error)));
        ran.and_then(|done| done).map_err(|message| {
            TractErrorKind::Run.error(format!(
                "tract failed on {name}: {message}",
                name = self.name
            ))
        })
    }

    fn run(&self, image: &[f32], mut visit: impl FnMut(usize, &[f32])) -> TractResult<()> {
        let mut show = |outputs: &[TValue], wanted: &[(usize, usize)]| {
            for &(output, tensor) in wanted {
                let values = outputs[output].cast_to::<f32>()?;
                let view = values.to_plain_array_view::<f32>()?;
                match view.as_slice() {
                    Some(values) => visit(tensor, values),
                    None => visit(tensor, &view.iter().copied().collect::<Vec<_>>()),
                }
            }
            TractResult::Ok(())
        };
        let [c, h, w] = self.input;
        let input = Tensor::from_shape(&[1, c, h, w], image)?;
        let mut state = self.plan.spawn()?;
        let outputs = state.run_plan_with_eval(
            tvec!(input.into()),
            |context, op_state, node, inputs| -> TractResult<_> {
                let outputs = eval(context, op_state, node, inputs)?;
                show(&outputs, &self.computed[node.id])?;
                Ok(outputs)
            },
        )?;
        show(&outputs, &self.constant)
    }
}
