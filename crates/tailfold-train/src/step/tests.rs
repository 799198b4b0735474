use burn::module::{ModuleVisitor, Param};

use super::*;
use crate::networks::Network;
use crate::prepare::prepare;
use crate::trainer::tests::{Silent, device, generator, plain, rich, workspace};

/// Returns every parameter's gradient, in the order of the network.
fn values(network: &Network, gradients: &GradientsParams) -> Vec<f32> {
    struct Collect<'a>(&'a GradientsParams, Vec<f32>);
    impl ModuleVisitor for Collect<'_> {
        fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
            if let Some(gradient) = self.0.get::<D>(parameter.id) {
                self.1.extend(to_host(gradient).unwrap());
            }
        }
    }
    let mut all = Collect(gradients, Vec::new());
    network.visit(&mut all);
    all.1
}

/// One image five times with different labels: any part of the batch has the statistics of the whole batch, so the
/// gradients can differ only by rounding or by wrong weights. 5 images make parts of 1, 2 and 2.
#[test]
fn gradients_of_parts_sum_to_batch_gradient() {
    let _generator = generator();
    let dir = workspace();
    let image: Vec<f32> = (0..144_u16)
        .map(|i| f32::from(i * 37 % 101) / 50.0 - 1.0)
        .collect();
    let labels = [0, 0, 1, 1, 2];
    let device = device();
    let pass = |micro_batch, even: bool| {
        let mut config = plain(dir.path(), 1);
        config.micro_batch = micro_batch;
        let run = prepare(&config, &device, &mut Silent).unwrap();
        let mut parts = parts(&run.plan, image.repeat(5), &labels);
        let count = parts.len();
        if even {
            parts.iter_mut().for_each(|p| p.share = 1.0 / count as f64);
        }
        let pass = pass(&run.plan, &run.state, &parts);
        let losses = to_host(pass.seen).unwrap();
        (count, values(&run.state.network, &pass.gradients), losses)
    };
    let (count, whole, losses) = pass(None, false);
    assert_eq!(count, 1);
    let largest = whole.iter().fold(0.0_f32, |a, g| a.max(g.abs()));
    assert!(largest > 0.01, "{largest}");
    let distance = |found: &[f32]| {
        assert_eq!(found.len(), whole.len());
        let differences = found.iter().zip(&whole).map(|(f, w)| (f - w).abs());
        differences.fold(0.0, f32::max) / largest
    };
    let (count, parts, seen) = pass(Some(2), false);
    assert_eq!(count, 3);
    assert!(distance(&parts) < 1e-5, "{}", distance(&parts));
    for (s, l) in seen.iter().zip(&losses) {
        assert!((s - l).abs() < 1e-5, "{seen:?}, expected {losses:?}");
    }
    // Control: with equal weights, they do not sum to the batch's gradient.
    let (_, even, _) = pass(Some(2), true);
    assert!(distance(&even) > 0.01, "{}", distance(&even));
}

#[test]
fn part_has_every_view_of_its_images() {
    let _generator = generator();
    let dir = workspace();
    let device = device();
    let mut config = rich(dir.path(), 1);
    config.micro_batch = Some(3);
    let run = prepare(&config, &device, &mut Silent).unwrap();
    // Image `i` in view `v` is filled with 10 v + i.
    let fill = |value: u8| vec![f32::from(value); 144];
    let values = (0..3_u8).flat_map(|v| (0..7).flat_map(move |i| fill(10 * v + i)));
    let parts = parts(&run.plan, values.collect(), &[0, 1, 2, 0, 1, 2, 0]);
    let found: Vec<_> = parts
        .iter()
        .map(|part| {
            let x = to_host(part.x.clone().without_autodiff()).unwrap();
            let marks: Vec<f32> = x.chunks(144).map(|image| image[0]).collect();
            assert!(
                x.chunks(144)
                    .all(|i| i.iter().all(|v| v.to_bits() == i[0].to_bits()))
            );
            assert_eq!(part.x.dims(), [marks.len(), 1, 12, 12]);
            (marks, part.labels.clone())
        })
        .collect();
    let expect = [
        (vec![0., 1., 10., 11., 20., 21.], vec![0, 1]),
        (vec![2., 3., 12., 13., 22., 23.], vec![2, 0]),
        (
            vec![4., 5., 6., 14., 15., 16., 24., 25., 26.],
            vec![1, 2, 0],
        ),
    ];
    assert_eq!(found, expect);
    let shares: f64 = parts.iter().map(|part| part.share).sum();
    assert!((shares - 1.0).abs() < 1e-12);
}

/// Scores by hand: of two images in two views, three rows are correct.
#[test]
fn top1_compares_with_the_labels_of_every_view() {
    let scores = Tensor::from_floats(
        [[0., 1., 2.], [1., 0., 0.], [5., 1., 2.], [3., -1., 2.]],
        &Device::flex(),
    );
    let share = to_host(top1(scores, &[2, 0], 2)).unwrap();
    assert_eq!(share, [0.75]);
}
