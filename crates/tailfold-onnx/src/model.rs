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

/// An ONNX file in memory, with one graph.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    proto: ModelProto,
}

impl Model {
    /// Largest file that is read: protobuf is limited to 2 GiB.
    pub const MAX_BYTES: u64 = (1 << 31) - 1;

    /// Reads the file `path`.
    ///
    /// # Errors
    /// [`OnnxError`], which names the file when it cannot be read, is too large, or is not a complete ONNX
    /// file.
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
    /// [`OnnxErrorKind::Damaged`].
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

    /// Wraps a decoded message; `name` stands for the file in messages.
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

    /// Creates a model with the opset version `opset` and tailfold as producer, without metadata.
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

    /// Returns the file's bytes; the same model gives the same bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.proto.encode_to_vec()
    }

    /// Returns the protobuf message.
    pub fn proto(&self) -> &ModelProto {
        &self.proto
    }

    /// Returns the graph.
    ///
    /// # Panics
    /// Never: a model without a graph cannot be created.
    pub fn graph(&self) -> &GraphProto {
        self.proto
            .graph
            .as_ref()
            .expect("a model is only made with a graph")
    }

    /// Returns the graph, mutable.
    pub fn graph_mut(&mut self) -> &mut GraphProto {
        self.proto.graph.get_or_insert_default()
    }

    /// Returns the nodes, in the order of computation.
    pub fn nodes(&self) -> &[NodeProto] {
        &self.graph().node
    }

    /// Returns the node called `name`.
    pub fn node(&self, name: &str) -> Option<&NodeProto> {
        self.nodes().iter().find(|n| n.name() == name)
    }

    /// Returns the version of the standard operators; `None` when the file uses only other operators.
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

    /// Returns name and version of the tool that wrote the file.
    pub fn producer(&self) -> String {
        let (name, version) = (self.proto.producer_name(), self.proto.producer_version());
        format!("{name} {version}").trim().to_owned()
    }

    /// Returns the IR version (version of the ONNX format).
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

    /// Returns the metadata.
    pub fn props(&self) -> BTreeMap<String, String> {
        self.proto
            .metadata_props
            .iter()
            .map(|p| (p.key().to_owned(), p.value().to_owned()))
            .collect()
    }

    /// Sets one entry of the metadata and sorts the entries by key.
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

    /// Returns the model card from the metadata.
    ///
    /// # Errors
    /// [`CardError`] when the card was not written by tailfold or is damaged.
    pub fn card(&self) -> Result<ModelCard, CardError> {
        ModelCard::from_props(&self.props())
    }

    /// Returns the card after comparing it with the graph: number of classes, and size of the images.
    ///
    /// # Errors
    /// [`OnnxErrorKind::Metadata`] with both values of a mismatch.
    pub fn checked_card(&self) -> Result<ModelCard, OnnxError> {
        let card = self.card()?;
        let p = &card.preprocess;
        let declared = [p.channels, p.height, p.width];
        let [_, found @ ..] = self.input_shape()?;
        if found
            .iter()
            .zip(declared)
            .any(|(found, declared)| found.is_some_and(|f| f != declared))
        {
            return Err(OnnxErrorKind::Metadata.error(format!(
                "the metadata prepares images of {declared:?} but the network takes {graph}",
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

    /// Returns shape and values of an initializer.
    ///
    /// # Errors
    /// [`OnnxErrorKind::Structure`] when it is missing, or [`OnnxErrorKind::Tensor`] when it has another
    /// element type or its values do not fill its shape.
    pub fn initializer<T: Element>(&self, name: &str) -> Result<(Vec<usize>, Vec<T>), OnnxError> {
        let tensor = self.graph().find_initializer(name).ok_or_else(|| {
            OnnxErrorKind::Structure.error(format!("the graph has no initializer `{name}`"))
        })?;
        Ok((tensor.shape()?, tensor.values()?))
    }

    /// Returns shape and values of an f32 initializer, as [`Model::initializer`] does.
    ///
    /// # Errors
    /// As [`Model::initializer`].
    pub fn initializer_f32(&self, name: &str) -> Result<(Vec<usize>, Vec<f32>), OnnxError> {
        self.initializer(name)
    }

    /// Replaces or adds an initializer; see [`TensorProto::new`].
    pub fn set_initializer<T: Element>(&mut self, name: &str, dims: &[usize], values: &[T]) {
        self.graph_mut()
            .set_initializer(TensorProto::new(name, dims, values));
    }

    /// Replaces or adds an f32 initializer.
    pub fn set_initializer_f32(&mut self, name: &str, dims: &[usize], values: &[f32]) {
        self.set_initializer(name, dims, values);
    }

    /// Replaces or adds an i8 initializer.
    pub fn set_initializer_i8(&mut self, name: &str, dims: &[usize], values: &[i8]) {
        self.set_initializer(name, dims, values);
    }

    /// Replaces or adds a u8 initializer.
    pub fn set_initializer_u8(&mut self, name: &str, dims: &[usize], values: &[u8]) {
        self.set_initializer(name, dims, values);
    }

    /// Replaces or adds an i32 initializer.
    pub fn set_initializer_i32(&mut self, name: &str, dims: &[usize], values: &[i32]) {
        self.set_initializer(name, dims, values);
    }

    /// Returns the only input that is not an initializer.
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

    /// Returns the only output.
    ///
    /// # Errors
    /// [`OnnxErrorKind::Ports`] unless there is exactly one.
    pub fn output(&self) -> Result<&ValueInfoProto, OnnxError> {
        one("outputs", self.graph().output.iter().collect())
    }

    /// Returns `[batch, channels, height, width]` of the input, with `None` for a dimension that is not
    /// fixed.
    ///
    /// # Errors
    /// [`OnnxErrorKind::Ports`], including an input that does not have rank 4.
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

    /// Returns the name of the input's first dimension, if it is symbolic.
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
    kind: &'static str,
    ports: Vec<&'a ValueInfoProto>,
) -> Result<&'a ValueInfoProto, OnnxError> {
    match ports[..] {
        [port] => Ok(port),
        ref ports => {
            let names: Vec<&str> = ports.iter().map(|p| p.name()).collect();
            Err(OnnxErrorKind::Ports.error(format!(
                "the graph has {} {kind} ({}), expected one",
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
