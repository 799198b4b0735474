//! The file format of an architecture: a flat table. CIFAR networks have no `kind` key, as in files written before
//! other networks existed.

use serde::{Deserialize, Serialize};

use super::{Architecture, ArchitectureError, Body, Head, NetworkKind};

/// The keys of `[architecture]`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Record {
    #[serde(default, skip_serializing_if = "is_default")]
    kind: NetworkKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    depth: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    width: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stem_stride: Option<usize>,
    input: [usize; 3],
    classes: usize,
    head: Head,
}

fn is_default(kind: &NetworkKind) -> bool {
    *kind == NetworkKind::default()
}

impl TryFrom<Record> for Architecture {
    type Error = ArchitectureError;

    fn try_from(record: Record) -> Result<Self, Self::Error> {
        Ok(Self {
            body: Body::from_keys(record.kind, record.depth, record.width, record.stem_stride)?,
            input: record.input,
            classes: record.classes,
            head: record.head,
        })
    }
}

impl From<Architecture> for Record {
    fn from(architecture: Architecture) -> Self {
        let (depth, width, stem_stride) = match architecture.body {
            Body::CifarResnet {
                depth,
                width,
                stem_stride,
            } => (Some(depth), Some(width), Some(stem_stride)),
            _ => (None, None, None),
        };
        Self {
            kind: architecture.body.kind(),
            depth,
            width,
            stem_stride,
            input: architecture.input,
            classes: architecture.classes,
            head: architecture.head,
        }
    }
}
