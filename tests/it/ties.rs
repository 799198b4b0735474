//! The reason why logits stay in float: in 8 bits, some logits tie, and the lowest class id wins a tie. If ids are
//! sorted by frequency, the winner is the class with more training images.

use std::collections::BTreeSet;

use tailfold_onnx::Model;
use tailfold_onnx::proto::NodeProto;
use tailfold_parity::{ComparedModel, Policy, Report, Verdict, compare};
use tailfold_quant::{ActivationParams, Range, Scheme};
use tailfold_spec::Logits;

use crate::fixture::{embedded, logits};
use crate::programs::root;

pub(crate) fn shipped(file: &str) -> Model {
    Model::read(&root().join("models/fashion-lt").join(file)).unwrap()
}

/// `model` with a uint8 Q/DQ pair after its last layer, as ONNX Runtime's `quantize_static` adds by default. Its range
/// is from the smallest to the largest logit of the training images.
pub(crate) fn with_int8_logits(model: &Model) -> Model {
    let seen = logits(model, &embedded("split=train"));
    let range = Range {
        low: seen.values().iter().copied().fold(f32::INFINITY, f32::min),
        high: seen
            .values()
            .iter()
            .copied()
            .fold(f32::NEG_INFINITY, f32::max),
    };
    let params = ActivationParams::of_range(range, Scheme::Affine);
    let mut model = model.clone();
    let output = model.output().unwrap().name().to_owned();
    model.set_initializer_f32("output.scale", &[], &[params.scale]);
    model.set_initializer_u8("output.zero_point", &[], &[params.zero_point]);
    let nodes = &mut model.graph_mut().node;
    let head = nodes.iter_mut().find(|n| n.output[0] == output).unwrap();
    assert!(head.is("Gemm"), "the default leaves logits in float");
    "output.float".clone_into(&mut head.output[0]);
    let pair = |op, from, to| {
        let inputs = [from, "output.scale", "output.zero_point"];
        NodeProto::new(op, format!("output.{op}"), inputs, [to])
    };
    nodes.push(pair("QuantizeLinear", "output.float", "output.codes"));
    nodes.push(pair("DequantizeLinear", "output.codes", &output));
    tailfold_onnx::check(&model).unwrap();
    model
}

/// Compares logits of images with these labels. `counts` has the training images per class, in the order of class ids.
fn report(reference: &Logits, candidate: &Logits, labels: &[usize], counts: &[u64]) -> Report {
    let classes = (0..counts.len()).map(|class| class.to_string()).collect();
    let card = ComparedModel::new(classes, counts.to_vec());
    compare(reference, candidate, labels, &card, &Policy::default()).unwrap()
}

/// The same logits with reversed class ids.
fn reversed(logits: &Logits) -> Logits {
    let rows = logits.rows().flat_map(|row| row.iter().rev().copied());
    Logits::new(rows.collect(), logits.num_classes()).unwrap()
}

/// Images of medium and few-shot classes that only the candidate classifies correctly, minus images that only the
/// reference does.
fn tail(report: &Report) -> i64 {
    let groups = [&report.groups.medium, &report.groups.few];
    let won = groups.map(|group| {
        let group = group.as_ref().unwrap();
        let [gained, lost] = [group.gained, group.lost].map(|n| i64::try_from(n).unwrap());
        gained - lost
    });
    won.iter().sum()
}

/// Checks that at least one of 200 images ties, that no more decisions change than images tie, and that the gate fails
/// because of ties.
fn ties_move_decisions(report: &Report) {
    assert_eq!((report.images, report.ties.reference), (3000, 0));
    assert!(report.ties.candidate >= 15, "{report:?}");
    assert!(report.flips >= 8 && report.flips <= report.ties.candidate);
    assert_eq!(
        (report.verdict, report.decided_by.as_str()),
        (Verdict::Fail, "ties")
    );
}

#[test]
fn logits_in_8_bits_lose_rare_classes_through_ties_but_float_logits_do_not() {
    let default = shipped("fashion-lt.int8.onnx");
    let mut counts = default.card().unwrap().train_counts;
    assert!(counts.is_sorted_by(|a, b| a > b), "{counts:?}");
    let test = embedded("split=test");
    let mut labels = test.labels().to_vec();
    let float = logits(&shipped("fashion-lt.onnx"), &test);
    let plain = logits(&default, &test);
    let coarse = logits(&with_int8_logits(&default), &test);
    let values: BTreeSet<u32> = coarse.values().iter().map(|v| v.to_bits()).collect();
    assert!((128..=256).contains(&values.len()), "{}", values.len());

    // Neither the float model nor the shipped INT8 model has a tie, and decisions change in both directions.
    let kept = report(&float, &plain, &labels, &counts);
    assert_eq!((kept.ties.reference, kept.ties.candidate), (0, 0));
    assert!(kept.flips_toward_rare > 0 && kept.flips_toward_frequent > 0);

    let lost = report(&plain, &coarse, &labels, &counts);
    ties_move_decisions(&lost);
    assert_eq!(lost.flips_toward_frequent, lost.flips);
    assert!(tail(&lost) < 0 && tail(&lost) < tail(&kept), "{lost:?}");
    let many = lost.groups.many.as_ref().unwrap();
    assert!(many.delta_pp > 0.0, "{many:?}");

    // The order of ids causes the loss, not the 8 bits: with rare classes first, the same ties favour them.
    counts.reverse();
    for label in &mut labels {
        *label = counts.len() - 1 - *label;
    }
    let turned = report(&reversed(&plain), &reversed(&coarse), &labels, &counts);
    ties_move_decisions(&turned);
    assert_eq!(turned.flips_toward_rare, turned.flips);
    assert_eq!(turned.ties.candidate, lost.ties.candidate);
    assert!(tail(&turned) > tail(&lost), "{turned:?}");
}
