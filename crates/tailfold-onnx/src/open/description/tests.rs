use super::*;
use crate::Shapes;
use crate::fixture::small::{model, node, port};
use crate::open::open;
use crate::proto::NodeProto;

fn opened_with(element: DataType, nodes: Vec<NodeProto>, props: &[(&str, &str)]) -> Opened {
    let mut file = model(13, &[3, 8, 6], nodes, &[2]);
    file.graph_mut().input = vec![port("image", element, &[3, 8, 6])];
    file.set_initializer_f32("k", &[], &[0.5]);
    for (key, value) in props {
        file.set_prop(*key, *value);
    }
    open(file, None, &OpenOptions::default(), &|_| Shapes::new()).unwrap()
}

fn opened(props: &[(&str, &str)]) -> Opened {
    let nodes = vec![node("GlobalAveragePool", "image", "scores")];
    opened_with(DataType::Float, nodes, props)
}

fn labels() -> Option<Vec<String>> {
    Some(vec!["cat".to_owned(), "dog".to_owned()])
}

/// A description with class names, and one mean and standard deviation for all channels.
fn said(mean: f32, std: f32) -> Description {
    Description {
        labels: labels(),
        mean: Some(vec![mean]),
        std: Some(vec![std]),
        ..Description::default()
    }
}

fn refused(description: &Description, opened: &Opened, expect: &str) {
    let error = description.card(opened).unwrap_err();
    assert_eq!(error.to_string(), expect);
}

const CLASSES: (&str, &str) = ("tailfold.classes", r#"["cat","dog"]"#);

#[test]
fn single_value_applies_to_all_channels() {
    let card = said(0.5, 0.25).card(&opened(&[])).unwrap();
    let p = &card.preprocess;
    assert_eq!((p.channels, p.height, p.width), (3, 8, 6));
    assert_eq!((&p.mean[..], &p.std[..]), (&[0.5; 3][..], &[0.25; 3][..]));
    assert_eq!(card.train_counts, [0, 0], "the counts are unknown");
    let two = Description {
        mean: Some(vec![0.5, 0.5]),
        ..said(0.5, 0.25)
    };
    assert!(
        two.card(&opened(&[])).is_err(),
        "two values for three channels"
    );
}

#[test]
fn missing_value_error_names_its_flags() {
    let nothing = Description::default();
    refused(
        &nothing,
        &opened(&[]),
        "the model has no metadata `tailfold.classes`",
    );
    refused(
        &nothing,
        &opened(&[CLASSES]),
        "the model has no metadata `tailfold.preprocess`",
    );
}

#[test]
fn contradiction_error_shows_both_values() {
    let other = Description {
        labels: Some(vec!["cat".to_owned(), "cow".to_owned()]),
        ..said(0.5, 0.25)
    };
    refused(
        &other,
        &opened(&[CLASSES]),
        r#"the model's metadata says classes ["cat", "dog"], but ["cat", "cow"] was given"#,
    );
    assert!(said(0.5, 0.25).card(&opened(&[CLASSES])).is_ok());
    let card = said(0.5, 0.25).card(&opened(&[])).unwrap();
    let mut file = opened(&[]);
    file.model.set_card(&card);
    assert_eq!(Description::default().card(&file).unwrap(), card);
    assert_eq!(said(0.5, 0.25).card(&file).unwrap(), card);
    refused(
        &said(0.0, 0.25),
        &file,
        "the model's metadata says mean [0.5, 0.5, 0.5], but [0.0, 0.0, 0.0] was given",
    );
    let blue = Description {
        bgr: true,
        ..Description::default()
    };
    refused(
        &blue,
        &file,
        "the model's metadata says bgr false, but true was given",
    );
}

#[test]
fn training_counts_must_match_class_count() {
    let counts = Description {
        counts: Some(vec![1, 2, 3]),
        ..said(0.5, 0.25)
    };
    refused(&counts, &opened(&[]), "3 training counts for 2 classes");
}

#[test]
fn uint8_input_takes_image_bytes() {
    let nodes = vec![
        node("Cast", "image", "f").attr_int("to", 1),
        node("GlobalAveragePool", "f", "scores"),
    ];
    let file = opened_with(DataType::Uint8, nodes, &[]);
    let plain = Description {
        labels: labels(),
        ..Description::default()
    };
    let card = plain.card(&file).unwrap();
    assert_eq!(card.preprocess.mean, [0.0; 3]);
    assert_eq!(card.preprocess.std, [1.0 / 255.0; 3]);
    assert_eq!(said(0.0, 0.003_921_57).card(&file).unwrap(), card);
    refused(
        &said(0.0, 1.0),
        &file,
        "the model's input is uint8: it takes the bytes of the image as they are, but mean [0.0, 0.0, 0.0] and std [1.0, 1.0, 1.0] were given",
    );
}

#[test]
fn second_normalisation_is_refused() {
    let nodes = vec![
        node("Sub", "image k", "n"),
        node("GlobalAveragePool", "n", "scores"),
    ];
    let file = opened_with(DataType::Float, nodes, &[]);
    assert!(said(0.0, 1.0).card(&file).is_ok());
    assert!(said(0.0, 1.0 / 255.0).card(&file).is_ok());
    let error = said(0.5, 0.25).card(&file).unwrap_err().to_string();
    assert!(
        error.starts_with("node `n` of the graph normalises the image already"),
        "{error}"
    );
}

#[test]
fn mean_on_0_to_255_scale_is_refused() {
    refused(
        &said(127.0, 58.0),
        &opened(&[]),
        "mean [127.0, 127.0, 127.0] is not on the 0..1 scale: divide mean and std by 255",
    );
}

#[test]
fn rounded_value_does_not_contradict_metadata() {
    let card = said(0.5, 1.0 / 255.0).card(&opened(&[])).unwrap();
    let mut file = opened(&[]);
    file.model.set_card(&card);
    assert_eq!(said(0.5, 0.003_921_57).card(&file).unwrap(), card);
    refused(
        &said(0.5, 0.003_92),
        &file,
        "the model's metadata says std [0.003921569, 0.003921569, 0.003921569], but [0.00392, \
         0.00392, 0.00392] was given",
    );
}
