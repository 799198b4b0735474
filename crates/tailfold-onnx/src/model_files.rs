//! The files of a model, for checks that no output overwrites them.

use std::path::Path;

use tailfold_spec::OutputCheck;

use crate::proto::{DataLocation, GraphProto, TensorProto};
use crate::{Model, folder_of};

/// Adds the model file `path` and its files of external data to the inputs of `files`; `option` is the option of the model.
///
/// A file that is not a model is added alone; reading it reports the error later.
pub fn add_model_files(files: &mut OutputCheck, option: &str, path: &Path) {
    files.reads(&format!("file of {option}"), path);
    if files.existing().is_empty() {
        return;
    }
    let Ok(model) = Model::read(path) else {
        return;
    };
    let mut locations = Vec::new();
    collect(model.graph(), &mut locations);
    locations.sort_unstable();
    locations.dedup();
    for file in locations {
        let role = format!("file with values of {option}");
        files.reads(&role, folder_of(path).join(file));
    }
}

/// Appends the locations of all external tensors of `graph` and its subgraphs.
fn collect(graph: &GraphProto, locations: &mut Vec<String>) {
    let mut of = |tensor: &TensorProto| {
        if tensor.data_location() == DataLocation::External {
            let entries = tensor.external_data.iter();
            let entries = entries.filter(|e| e.key() == "location");
            locations.extend(entries.map(|e| e.value().to_owned()));
        }
    };
    graph.initializer.iter().for_each(&mut of);
    let attributes = graph.node.iter().flat_map(|node| &node.attribute);
    attributes
        .clone()
        .flat_map(|a| a.t.iter().chain(&a.tensors))
        .for_each(&mut of);
    for inner in attributes.filter_map(|a| a.g.as_ref()) {
        collect(inner, locations);
    }
}
