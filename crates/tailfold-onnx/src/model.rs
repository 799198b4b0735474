//! An ONNX file in memory: reading, writing, metadata, initializers, input and output.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use prost::Message as _;
use tailfold_spec::artifact::at;
use tailfold_spec::{CardError, ModelCard};

use crate::proto::{
    FunctionProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, StringStringEntryProto,
    TensorProto, ValueInfoProto,
};
use crate::{Element, OnnxError, OnnxErrorKind};

/// A model with one graph.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    proto: ModelProto,
}

impl Model {
    /// Largest file that is read: protobuf ends at 2 GiB.
    pub const MAX_BYTES: u64 = (1 << 31) - 1;

    /// Reads the file `path`.
    ///
    /// # Errors
    /// [`OnnxError`] naming the file when it cannot be read, is too large, or is no whole ONNX file.
    pub fn read(path: &Path) -> Result<Self, OnnxError> {
        let name = path.display().to_string();
        let too_large = || {
            OnnxErrorKind::Limit.error(format!(
                "{name} is larger than {limit} bytes, the limit of an ONNX file",
                limit = Self::MAX_BYTES
            ))
        };
        let file = File::open(path).map_err(at("read", path))?;
        if file.metadata().map_err(at("read", path))?.len() > Self::MAX_BYTES {
            return Err(too_large());
        }
        // A pipe or a device has no length, so the read itself is bounded too.
        let mut bytes = Vec::new();
        file.take(Self::MAX_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(at("read", path))?;
        if bytes.len() as u64 > Self::MAX_BYTES {
            return Err(too_large());
        }
        Self::from_bytes(&bytes, &name)
    }

    /// Reads a model from memory; `name` stands for the file in messages.
    ///
    /// # Errors
    /// [`OnnxErrorKind::Damaged`] and [`OnnxErrorKind::Damaged`].
    pub fn from_bytes(bytes: &[u8], name: &str) -> Result<Self, OnnxError> {
        let proto = ModelProto::decode(bytes).map_err(|source| {
            OnnxErrorKind::Damaged
                .error(format!(
                    "{name} is not an ONNX file, or is damaged or cut short"
                ))
                .caused_by(source)
        })?;
        Self::from_proto(proto, name)
    }

    /// Wraps a message; `name` stands for the file in messages.
    ///
    /// # Errors
    /// [`OnnxErrorKind::Damaged`] when it has no graph or no operator set, as when a file is cut short between two fields.
    pub fn from_proto(proto: ModelProto, name: &str) -> Result<Self, OnnxError> {
        for (part, missing) in [
            ("graph", proto.graph.is_none()),
            ("opset_import", proto.opset_import.is_empty()),
        ] {
            if missing {
                return Err(OnnxErrorKind::Damaged.error(format!(
                    "{name} has no {part}: it is not an ONNX file, or is damaged or cut short"
                )));
            }
        }
        Ok(Self { proto })
    }

    /// A model of standard operators of version `opset`, written by this program, without metadata.
    pub(crate) fn from_graph(graph: GraphProto, ir_version: i64, opset: i64) -> Self {
        let opset = OperatorSetIdProto {
            domain: Some(String::new()),
            version: Some(opset),
        };
        let proto = ModelProto {
            ir_version: Some(ir_version),
            opset_import: vec![opset],
            producer_name: Some("tailfold".to_owned()),
            producer_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            graph: Some(graph),
            ..ModelProto::default()
        };
        Self { proto }
    }

    /// The file's bytes; the same model gives the same bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.proto.encode_to_vec()
    }

    /// The message.
    pub fn proto(&self) -> &ModelProto {
        &self.proto
    }

    /// The graph.
    ///
    /// # Panics
    /// Never: a model without a graph cannot be made.
    pub fn graph(&self) -> &GraphProto {
        self.proto
            .graph
            .as_ref()
            .expect("a model is only made with a graph")
    }

    /// The graph, to change it.
    pub fn graph_mut(&mut self) -> &mut GraphProto {
        self.proto.graph.get_or_insert_default()
    }

    /// The nodes, in the order of their computation.
    pub fn nodes(&self) -> &[NodeProto] {
        &self.graph().node
    }

    /// The node called `name`.
    pub fn node(&self, name: &str) -> Option<&NodeProto> {
        self.nodes().iter().find(|n| n.name() == name)
    }

    /// Version of the standard operators; `None` when the file uses only others.
    pub fn opset(&self) -> Option<i64> {
        let mut sets = self.proto.opset_import.iter();
        sets.find(|s| standard(s.domain())).map(|s| s.version())
    }

    /// Sets the opset version of the standard operators.
    pub(crate) fn set_opset(&mut self, version: i64) {
        let mut sets = self.proto.opset_import.iter_mut();
        if let Some(set) = sets.find(|s| standard(s.domain())) {
            set.version = Some(version);
        }
    }

    /// Name and version of the tool that wrote the file.
    pub fn producer(&self) -> String {
        let (name, version) = (self.proto.producer_name(), self.proto.producer_version());
        format!("{name} {version}").trim().to_owned()
    }

    /// IR version (version of the ONNX format).
    pub fn ir_version(&self) -> i64 {
        self.proto.ir_version()
    }

    /// Removes and returns the model-local functions. Domains that only functions import are added to the imports of
    /// the model, since the nodes of the functions become nodes of the graph.
    pub(crate) fn take_functions(&mut self) -> Vec<FunctionProto> {
        let functions = std::mem::take(&mut self.proto.functions);
        let imports = &mut self.proto.opset_import;
        for import in functions.iter().flat_map(|f| &f.opset_import) {
            let known = imports.iter().any(|i| i.domain() == import.domain());
            if !known && !standard(import.domain()) {
                imports.push(import.clone());
            }
        }
        functions
    }

    /// Model-local functions: operators that the file defines itself.
    pub(crate) fn functions(&self) -> &[FunctionProto] {
        &self.proto.functions
    }

    /// The model-local functions, mutable.
    pub(crate) fn functions_mut(&mut self) -> &mut [FunctionProto] {
        &mut self.proto.functions
    }

    /// Removes the opset imports of domains that no node uses, except for the standard operators.
    pub(crate) fn forget_domains(&mut self) {
        let mut used = BTreeSet::new();
        domains(self.nodes(), &mut used);
        self.proto
            .opset_import
            .retain(|s| standard(s.domain()) || used.contains(s.domain()));
    }

    /// Raises the IR version to at least `version`.
    pub(crate) fn raise_ir_version(&mut self, version: i64) {
        let found = self.proto.ir_version.unwrap_or(0);
        self.proto.ir_version = Some(found.max(version));
    }

    /// The metadata.
    pub fn props(&self) -> BTreeMap<String, String> {
        self.proto
            .metadata_props
            .iter()
            .map(|p| (p.key().to_owned(), p.value().to_owned()))
            .collect()
    }

    /// Sets one entry of the metadata, which is then in ascending order of its keys.
    pub fn set_prop(&mut self, key: impl Into<String>, value: impl Into<String>) {
        let mut props = self.props();
        props.insert(key.into(), value.into());
        self.set_props(props);
    }

    fn set_props(&mut self, props: BTreeMap<String, String>) {
        self.proto.metadata_props = props
            .into_iter()
            .map(|(key, value)| StringStringEntryProto {
                key: Some(key),
                value: Some(value),
            })
            .collect();
    }

    /// The model card from the metadata.
    ///
    /// # Errors
    /// [`CardError`] when it was not written by tailfold or is damaged.
    pub fn card(&self) -> Result<ModelCard, CardError> {
        ModelCard::from_props(&self.props())
    }

    /// The card, compared with the graph: as many classes as logits, images of the input's size.
    ///
    /// # Errors
    /// [`OnnxErrorKind::Metadata`], [`OnnxErrorKind::Metadata`] or [`OnnxErrorKind::Metadata`] with both sides.
    pub fn checked_card(&self) -> Result<ModelCard, OnnxError> {
        let card = self.card()?;
        let p = &card.preprocess;
        let told = [p.channels, p.height, p.width];
        let [_, found @ ..] = self.input_shape()?;
        if found
            .iter()
            .zip(told)
            .any(|(found, told)| found.is_some_and(|f| f != told))
        {
            return Err(OnnxErrorKind::Metadata.error(format!(
                "the metadata prepares images of {told:?} but the network takes {graph}",
                graph = lengths(&found)
            )));
        }
        if let Some([_, Some(graph)]) = self.output()?.shape().as_deref()
            && *graph != card.classes.len()
        {
            return Err(OnnxErrorKind::Metadata.error(format!(
                "the metadata names {card} classes but the network has {graph} outputs",
                card = card.classes.len(),
                graph = *graph
            )));
        }
        Ok(card)
    }

    /// Writes the card into the metadata. Other entries stay; entries of an earlier card are removed.
    pub fn set_card(&mut self, card: &ModelCard) {
        let mut props = self.props();
        props.retain(|key, _| !key.starts_with("tailfold."));
        props.extend(card.to_props());
        self.set_props(props);
    }

    /// Shape and values of an initializer.
    ///
    /// # Errors
    /// [`OnnxErrorKind::Structure`], or [`OnnxErrorKind::Tensor`] when its type is another or its values do not fill it.
    pub fn initializer<T: Element>(&self, name: &str) -> Result<(Vec<usize>, Vec<T>), OnnxError> {
        let tensor = self.graph().find_initializer(name).ok_or_else(|| {
            OnnxErrorKind::Structure.error(format!("the graph has no initializer `{name}`"))
        })?;
        Ok((tensor.shape()?, tensor.values()?))
    }

    /// [`Model::initializer`] of f32.
    ///
    /// # Errors
    /// The same.
    pub fn initializer_f32(&self, name: &str) -> Result<(Vec<usize>, Vec<f32>), OnnxError> {
        self.initializer(name)
    }

    /// Replaces or adds an initializer; see [`TensorProto::new`].
    pub fn set_initializer<T: Element>(&mut self, name: &str, dims: &[usize], values: &[T]) {
        self.graph_mut()
            .set_initializer(TensorProto::new(name, dims, values));
    }

    /// [`Model::set_initializer`] of f32.
    pub fn set_initializer_f32(&mut self, name: &str, dims: &[usize], values: &[f32]) {
        self.set_initializer(name, dims, values);
    }

    /// [`Model::set_initializer`] of i8.
    pub fn set_initializer_i8(&mut self, name: &str, dims: &[usize], values: &[i8]) {
        self.set_initializer(name, dims, values);
    }

    /// [`Model::set_initializer`] of u8.
    pub fn set_initializer_u8(&mut self, name: &str, dims: &[usize], values: &[u8]) {
        self.set_initializer(name, dims, values);
    }

    /// [`Model::set_initializer`] of i32.
    pub fn set_initializer_i32(&mut self, name: &str, dims: &[usize], values: &[i32]) {
        self.set_initializer(name, dims, values);
    }

    /// The one input that is not an initializer.
    ///
    /// # Errors
    /// [`OnnxErrorKind::Ports`] unless there is exactly one.
    pub fn input(&self) -> Result<&ValueInfoProto, OnnxError> {
        let graph = self.graph();
        one(
            "inputs",
            graph
                .input
                .iter()
                .filter(|i| graph.find_initializer(i.name()).is_none())
                .collect(),
        )
    }

    /// The one output.
    ///
    /// # Errors
    /// [`OnnxErrorKind::Ports`] unless there is exactly one.
    pub fn output(&self) -> Result<&ValueInfoProto, OnnxError> {
        one("outputs", self.graph().output.iter().collect())
    }

    /// `[batch, channels, height, width]` of the input; `None` for a dimension that is not fixed.
    ///
    /// # Errors
    /// [`OnnxErrorKind::Ports`], also when the input is not of rank 4.
    pub fn input_shape(&self) -> Result<[Option<usize>; 4], OnnxError> {
        let input = self.input()?;
        let shape = input.shape();
        shape
            .as_deref()
            .and_then(|s| s.try_into().ok())
            .ok_or_else(|| {
                let found = shape
                    .as_ref()
                    .map_or_else(|| "?".to_owned(), |s| lengths(s));
                OnnxErrorKind::Ports.error(format!(
                    "input `{}` has the shape {found}, expected [batch, channels, height, width]",
                    input.name()
                ))
            })
    }

    /// Name of the input's first dimension, if it is symbolic.
    pub fn batch_name(&self) -> Option<String> {
        let shape = self.input().ok()?.tensor_type()?.shape.as_ref()?;
        Some(shape.dim.first()?.name()?.to_owned())
    }
}

/// Whether `domain` is the domain of the standard operators.
fn standard(domain: &str) -> bool {
    matches!(domain, "" | "ai.onnx")
}

/// Adds the domains of `nodes` and of the nodes in their subgraphs to `used`.
fn domains(nodes: &[NodeProto], used: &mut BTreeSet<String>) {
    for node in nodes {
        used.insert(node.domain().to_owned());
        let attributes = node.attribute.iter();
        for body in attributes.flat_map(|a| a.g.iter().chain(&a.graphs)) {
            domains(&body.node, used);
        }
    }
}

fn one<'a>(
    what: &'static str,
    ports: Vec<&'a ValueInfoProto>,
) -> Result<&'a ValueInfoProto, OnnxError> {
    match ports[..] {
        [port] => Ok(port),
        ref ports => {
            let names: Vec<&str> = ports.iter().map(|p| p.name()).collect();
            Err(OnnxErrorKind::Ports.error(format!(
                "the graph has {} {what} ({}), expected one",
                names.len(),
                names.join(", ")
            )))
        }
    }
}

pub(crate) fn lengths(shape: &[Option<usize>]) -> String {
    let lengths: Vec<String> = shape
        .iter()
        .map(|d| d.map_or_else(|| "?".to_owned(), |d| d.to_string()))
        .collect();
    format!("[{}]", lengths.join(", "))
}

#[cfg(test)]
mod tests;
