//! An integer region as an operator of tract.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, PoisonError};

use tailfold_integer::Region;
use tailfold_kernels::Workspace;
use tract_onnx::model::ParsingContext;
use tract_onnx::pb::NodeProto;
use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::*;
use tract_onnx::tract_hir::internal::{
    Expansion, InferenceOp, InferenceResult, Solver, TensorProxy, expand,
};

thread_local! {
    /// The regions of the graph that this thread is reading: tract's table of operators holds plain functions
    /// without state.
    static REGIONS: RefCell<Vec<Arc<Region>>> = const { RefCell::new(Vec::new()) };
}

/// Calls `read` with an ONNX reader that supports the operator of regions, with the `regions` of one graph.
pub(crate) fn with_regions<T>(
    regions: &[Arc<Region>],
    read: impl FnOnce(tract_onnx::Onnx) -> T,
) -> T {
    let mut onnx = tract_onnx::onnx();
    onnx.op_register.insert(Region::OPERATOR, build);
    REGIONS.with_borrow_mut(|known| *known = regions.to_vec());
    let result = read(onnx);
    REGIONS.with_borrow_mut(Vec::clear);
    result
}

fn build(
    _context: &ParsingContext,
    node: &NodeProto,
) -> TractResult<(Box<dyn InferenceOp>, Vec<String>)> {
    let index: i64 = node.get_attr("region")?;
    let region = REGIONS.with_borrow(|known| {
        usize::try_from(index)
            .ok()
            .and_then(|i| known.get(i).cloned())
    });
    let region = region.with_context(|| format!("the graph has no integer region {index}"))?;
    let operator = IntegerRegion {
        region,
        workspaces: Arc::default(),
    };
    Ok((expand(operator), Vec::new()))
}

/// Runs a region's program in a workspace that is reused for every image.
#[derive(Clone, Debug)]
struct IntegerRegion {
    region: Arc<Region>,
    /// One workspace per concurrent thread.
    workspaces: Arc<Mutex<Vec<Workspace>>>,
}

impl PartialEq for IntegerRegion {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.region, &other.region)
    }
}

impl Eq for IntegerRegion {}

impl Op for IntegerRegion {
    fn name(&self) -> StaticName {
        Region::OPERATOR.into()
    }

    fn info(&self) -> TractResult<Vec<String>> {
        let steps = self.region.program.steps();
        Ok(steps.map(|s| format!("{}: {}", s.name, s.kernel)).collect())
    }

    op_as_typed_op!();
}

impl EvalOp for IntegerRegion {
    op_out_of_plan!();

    fn eval(&self, _context: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let program = &self.region.program;
        let free = || {
            self.workspaces
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        let workspace = free().pop();
        let mut workspace = workspace.unwrap_or_else(|| program.workspace());
        let mut outputs = self
            .region
            .outputs
            .iter()
            .map(|(_, shape)| Tensor::zero::<f32>(shape))
            .collect::<TractResult<TVec<_>>>()?;
        let views = inputs
            .iter()
            .map(|input| input.view().as_slice::<f32>())
            .collect::<TractResult<Vec<_>>>()?;
        let mut planes = outputs
            .iter_mut()
            .map(|output| output.try_as_plain_ram_mut())
            .collect::<TractResult<Vec<_>>>()?;
        let mut slices = planes
            .iter_mut()
            .map(|plane| plane.as_slice_mut::<f32>())
            .collect::<TractResult<Vec<_>>>()?;
        let done = program.run(&mut workspace, &views, &mut slices);
        free().push(workspace);
        done?;
        Ok(outputs.into_iter().map(Tensor::into_tvalue).collect())
    }
}

impl TypedOp for IntegerRegion {
    fn output_facts(&self, _inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        let outputs = self.region.outputs.iter();
        Ok(outputs
            .map(|(_, shape)| f32::fact(shape.as_slice()))
            .collect())
    }

    as_op!();
}

impl Expansion for IntegerRegion {
    fn name(&self) -> StaticName {
        Region::OPERATOR.into()
    }

    fn nboutputs(&self) -> TractResult<usize> {
        Ok(self.region.outputs.len())
    }

    fn rules<'r, 'p: 'r, 's: 'r>(
        &'s self,
        solver: &mut Solver<'r>,
        _inputs: &'p [TensorProxy],
        outputs: &'p [TensorProxy],
    ) -> InferenceResult {
        for (output, (_, shape)) in outputs.iter().zip(&self.region.outputs) {
            solver.equals(&output.datum_type, f32::datum_type())?;
            let shape: TVec<TDim> = shape.iter().map(|&d| d.to_dim()).collect();
            solver.equals(&output.shape, shape)?;
        }
        Ok(())
    }

    fn wire(
        &self,
        prefix: &str,
        model: &mut TypedModel,
        inputs: &[OutletId],
    ) -> TractResult<TVec<OutletId>> {
        model.wire_node(prefix, self.clone(), inputs)
    }
}
