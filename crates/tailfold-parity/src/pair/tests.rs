use tailfold_spec::{Filter, Preprocess, Resize};

use super::*;

fn card() -> ModelCard {
    ModelCard {
        name: "pets".to_owned(),
        architecture: "resnet8".to_owned(),
        classes: ["cat", "fox", "owl", "lynx"].map(str::to_owned).to_vec(),
        train_counts: vec![500, 50, 30, 5],
        preprocess: Preprocess {
            channels: 1,
            height: 28,
            width: 28,
            bgr: false,
            resize: None,
            mean: vec![0.25],
            std: vec![0.5],
        },
        offsets: None,
        checkpoint_sha256: "c1".to_owned(),
        quantization: None,
    }
}

/// The model of [`card`], quantized from the file `f1` with the given numbers of calibration images per class.
fn quantized(counts: [u64; 4]) -> ModelCard {
    ModelCard {
        quantization: Some(QuantizationRecord {
            calibration: "photos".to_owned(),
            calibration_counts: counts.to_vec(),
            float_sha256: "f1".to_owned(),
            ..QuantizationRecord::default()
        }),
        ..card()
    }
}

/// Checks `candidate` against [`card`] in the file `f1`.
fn check(candidate: &ModelCard, allowed: Allowed) -> Result<Vec<String>, String> {
    check_against(&card(), candidate, allowed)
}

fn check_against(
    reference: &ModelCard,
    candidate: &ModelCard,
    allowed: Allowed,
) -> Result<Vec<String>, String> {
    let (reference, candidate) = (
        Carded {
            card: reference,
            sha256: "f1",
        },
        Carded {
            card: candidate,
            sha256: "f2",
        },
    );
    check_pair(reference, candidate, &Policy::default(), allowed).map_err(|e| e.to_string())
}

#[track_caller]
fn refused(candidate: &ModelCard, message: &str) {
    assert_eq!(check(candidate, Allowed::default()).unwrap_err(), message);
}

const NOTHING: Vec<String> = Vec::new();

#[test]
fn form_of_reference_passes_without_note() {
    for candidate in [card(), quantized([8, 8, 8, 5])] {
        assert_eq!(check(&candidate, Allowed::default()), Ok(NOTHING));
    }
}

#[test]
fn other_classes_are_named() {
    let mut other = card();
    other.classes.pop();
    refused(
        &other,
        "the reference has 4 classes but the candidate has 3",
    );
    let mut other = card();
    other.classes.swap(1, 2);
    refused(
        &other,
        "class 1 is `fox` in the reference but `owl` in the candidate: the same classes in another order",
    );
    other.classes[1] = "dog".to_owned();
    refused(
        &other,
        "class 1 is `fox` in the reference but `dog` in the candidate",
    );
    let mut other = card();
    other.train_counts[3] = 6;
    refused(
        &other,
        "class 3 `lynx` has 5 training images in the reference but 6 in the candidate",
    );
}

#[test]
fn forms_of_one_checkpoint_must_share_preprocessing() {
    let mut other = card();
    other.preprocess.mean = vec![0.5];
    refused(
        &other,
        "both are forms of one checkpoint, but preprocess.mean is [0.25] in the reference and \
         [0.5] in the candidate",
    );
    let mut resized = card();
    resized.preprocess.resize = Some(Resize {
        short_side: 32,
        filter: Filter::Nearest,
    });
    let error = check(&resized, Allowed::default()).unwrap_err();
    let expect = "preprocess.resize is not set in the reference and {\"filter\":\"nearest\",\"short_side\":32} in the candidate";
    assert!(error.contains(expect), "{error}");
    // The candidate was made from the reference's file, although the checkpoint hashes differ.
    let mut made = quantized([8; 4]);
    made.preprocess.std = vec![0.25];
    made.checkpoint_sha256 = "c2".to_owned();
    assert!(
        check(&made, Allowed::default())
            .unwrap_err()
            .contains("preprocess.std")
    );
    // For another model, or if the caller allows it, the difference is only a note.
    let note = "reference and candidate prepare images differently: preprocess.mean is [0.25] in the reference and [0.5] in the candidate";
    let allowed = Allowed {
        other_preprocessing: true,
        ..Allowed::default()
    };
    assert_eq!(check(&other, allowed).unwrap(), [note]);
    other.checkpoint_sha256 = "c2".to_owned();
    assert_eq!(check(&other, Allowed::default()).unwrap(), [note]);
    // Models without a checkpoint hash do not count as forms of one checkpoint.
    let mut nameless = [card(), other];
    for card in &mut nameless {
        card.checkpoint_sha256.clear();
    }
    let [reference, candidate] = nameless;
    assert!(check_against(&reference, &candidate, Allowed::default()).is_ok());
}

#[test]
fn candidate_quantized_from_other_file_is_refused() {
    let mut stale = quantized([8; 4]);
    stale.quantization.as_mut().unwrap().float_sha256 = "f0".to_owned();
    refused(
        &stale,
        "the candidate was quantized from the file with SHA-256 f0, but the reference's is f1",
    );
    let allowed = Allowed {
        other_float: true,
        ..Allowed::default()
    };
    assert_eq!(check(&stale, allowed), Ok(NOTHING));
    // Two quantized models may be compared with each other.
    let reference = quantized([8; 4]);
    assert_eq!(
        check_against(&reference, &stale, Allowed::default()),
        Ok(NOTHING)
    );
}

#[test]
fn group_without_calibration_images_is_refused() {
    let few = quantized([8, 8, 8, 0]);
    refused(
        &few,
        "the candidate was calibrated on photos without an image of group few (1 classes, the \
         first 3 `lynx`)",
    );
    let allowed = Allowed {
        uncalibrated: true,
        ..Allowed::default()
    };
    let note =
        "the candidate was calibrated without an image of 1 of 4 classes, the first 3 `lynx`";
    assert_eq!(check(&few, allowed).unwrap(), [note]);
    // One of the two classes in the group medium has no calibration image.
    let notes = check(&quantized([8, 0, 8, 5]), Allowed::default()).unwrap();
    assert_eq!(
        notes,
        ["the candidate was calibrated without an image of 1 of 4 classes, the first 1 `fox`"]
    );
    // Half precision needs no calibration images, and unlabelled images have no counts.
    for counts in [vec![], vec![0; 4]] {
        let mut record = quantized([0; 4]);
        record.quantization.as_mut().unwrap().calibration_counts = counts;
        assert_eq!(check(&record, Allowed::default()), Ok(NOTHING));
    }
}
