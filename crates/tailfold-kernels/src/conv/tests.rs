use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::blend::Blend;
use crate::frame::Border;
use crate::requantize::Requantize;

/// A random layer, and its results by definition.
#[derive(Debug)]
struct Layer {
    window: Window,
    channels: usize,
    filters: usize,
    groups: usize,
    size: [usize; 2],
    codes: Vec<i16>,
    /// The smallest and the largest code of the type.
    range: [i16; 2],
    weights: Vec<i16>,
    multiplier: Vec<f64>,
    offset: Vec<f64>,
    clamp: [i16; 2],
    /// Codes of an image that is added, `[filters, height, width]`, and the weights of the addition.
    other: Option<(Vec<i16>, [f64; 2])>,
}

impl Layer {
    fn random(rng: &mut ChaCha8Rng) -> Self {
        let kernel = *pick(rng, &[[1, 1], [3, 3], [3, 3], [5, 5], [1, 3], [2, 4]]);
        let groups = *pick(rng, &[1, 1, 1, 0, 2, 3]);
        let dilation = if rng.random_bool(0.8) { [1, 1] } else { [1, 2] };
        let mut pad = || rng.random_range(0..=2);
        let pads = Border {
            top: pad(),
            left: pad(),
            bottom: pad(),
            right: pad(),
        };
        let window = Window {
            kernel,
            stride: *pick(rng, &[[1, 1], [1, 1], [2, 2], [1, 3]]),
            dilation,
            pads,
        };
        let (channels, filters, groups) = match groups {
            0 => {
                let c = rng.random_range(2..40);
                (c, c, c)
            }
            1 => (rng.random_range(1..50), rng.random_range(1..50), 1),
            g => (g * rng.random_range(1..9), g * rng.random_range(1..9), g),
        };
        let least = |k: usize, d: usize| (k - 1) * d + 1;
        let size = [
            rng.random_range(least(kernel[0], dilation[0])..12),
            rng.random_range(least(kernel[1], dilation[1])..14),
        ];
        let weights = filters * channels / groups * kernel[0] * kernel[1];
        let zero_point = rng.random_range(0..256_i16);
        // Some scales are powers of two, so that results fall on ties.
        let scale = if rng.random_bool(0.3) {
            0.5_f64.powi(rng.random_range(6..12))
        } else {
            rng.random_range(1e-4..2e-2)
        };
        Self {
            window,
            channels,
            filters,
            groups,
            size,
            codes: (0..channels * size[0] * size[1])
                .map(|_| rng.random_range(0..256_i16) - zero_point)
                .collect(),
            range: [-zero_point, 255 - zero_point],
            weights: (0..weights).map(|_| rng.random_range(-128..128)).collect(),
            multiplier: (0..filters)
                .map(|_| scale * f64::from(rng.random_range(1..4)))
                .collect(),
            offset: (0..filters)
                .map(|_| rng.random_range(-200..200) as f64 * 0.25)
                .collect(),
            clamp: *pick(rng, &[[-128, 127], [0, 255], [-3, 252], [0, 96]]),
            other: (groups == 1 && rng.random_bool(0.5)).then(|| {
                let [height, width] = window.output(size[0], size[1]).unwrap();
                let codes = (0..filters * height * width).map(|_| rng.random_range(-255..256));
                (codes.collect(), [0.5, *pick(rng, &[0.25, 0.37])])
            }),
        }
    }

    /// The codes by definition, `[filters, height, width]`.
    fn expected(&self) -> Vec<i16> {
        let pixels: usize = self.frames(0)[1].height * self.frames(0)[1].width;
        let requantize =
            Requantize::new(self.multiplier.clone(), self.offset.clone(), self.clamp).unwrap();
        let codes = self.sums().into_iter().enumerate().map(|(i, sum)| {
            let code = requantize.code(i / pixels, sum);
            match &self.other {
                None => code,
                Some((other, weights)) => {
                    let blend = Blend::new(Isa::Portable, *weights, self.clamp).unwrap();
                    blend.code(code, other[i])
                }
            }
        });
        codes.collect()
    }

    fn frames(&self, extra: usize) -> [Frame; 2] {
        let [height, width] = self.window.output(self.size[0], self.size[1]).unwrap();
        let mut input = Frame::new(self.channels, self.size[0], self.size[1]);
        input.border = self.window.pads;
        input.border.left += extra;
        let mut output = Frame::new(self.filters, height, width);
        output.border.top = extra;
        output.border.right = extra;
        [input, output]
    }

    /// The sums by definition, `[filters, height, width]`.
    fn sums(&self) -> Vec<i32> {
        let Window {
            kernel,
            stride,
            dilation,
            pads,
        } = self.window;
        let [height, width] = self.window.output(self.size[0], self.size[1]).unwrap();
        let (per_group, per_filter) = (self.filters / self.groups, self.channels / self.groups);
        let mut sums = Vec::new();
        for filter in 0..self.filters {
            for y in 0..height {
                for x in 0..width {
                    let mut sum = 0;
                    for c in 0..per_filter {
                        let channel = filter / per_group * per_filter + c;
                        for ky in 0..kernel[0] {
                            for kx in 0..kernel[1] {
                                let iy = (y * stride[0] + ky * dilation[0]).wrapping_sub(pads.top);
                                let ix = (x * stride[1] + kx * dilation[1]).wrapping_sub(pads.left);
                                if iy < self.size[0] && ix < self.size[1] {
                                    let code = self.codes
                                        [(channel * self.size[0] + iy) * self.size[1] + ix];
                                    let weight =
                                        self.weights[((filter * per_filter + c) * kernel[0] + ky)
                                            * kernel[1]
                                            + kx];
                                    sum += i32::from(code) * i32::from(weight);
                                }
                            }
                        }
                    }
                    sums.push(sum);
                }
            }
        }
        sums
    }

    /// Runs the layer and returns its codes and kernel. With `quads`, the kernel multiplies bytes even on an
    /// instruction set without quads; otherwise it never does.
    fn run(
        &self,
        isa: Isa,
        extra: usize,
        quads: bool,
        threads: usize,
    ) -> (Vec<i16>, (Method, bool)) {
        let [input, output] = self.frames(extra);
        let requantize =
            Requantize::new(self.multiplier.clone(), self.offset.clone(), self.clamp).unwrap();
        let epilogue = Epilogue::Codes(requantize);
        let of = (input, if quads { self.range } else { [-255, 255] });
        let mut conv = Conv::new(
            isa,
            self.window,
            of,
            output,
            self.packed(),
            epilogue.clone(),
        )
        .unwrap();
        if quads && conv.method() != Method::Depthwise {
            let low = lowest(self.packed(), self.range);
            conv.kernel =
                Kernel::direct(self.packed(), &self.window, &input, &epilogue, low).unwrap();
        }
        let mut other = None;
        if let Some((codes, weights)) = &self.other {
            let frame = Frame {
                border: self.window.pads,
                ..Frame::new(self.filters, output.height, output.width)
            };
            let blend = Blend::new(isa, *weights, self.clamp).unwrap();
            conv = conv
                .with(Residual::new(frame, blend, &output).unwrap())
                .unwrap();
            other = Some(laid_out(&frame, codes));
        }
        // Memory behind the image and padding channels hold nonzero values, which must not affect the result.
        let x = laid_out(&input, &self.codes);
        let mut out = vec![99; output.len()];
        let mut scratches = vec![Scratch::new([conv.scratch()]); threads];
        let whole = Part::whole(&output, &mut out);
        conv.run_on(&x, other.as_deref(), Sink::Codes(whole), &mut scratches);
        let mut codes = Vec::new();
        for filter in 0..self.filters {
            for y in 0..output.height {
                for x in 0..output.width {
                    codes.push(out[output.at(y, x) + filter]);
                }
            }
        }
        let border = output.image() - output.height * output.width * output.pitch();
        let untouched = out.iter().filter(|&&c| c == 99).count();
        assert!(untouched >= border, "the border was written to");
        let quads = matches!(conv.kernel, Kernel::Direct { quads: Some(_), .. });
        (codes, (conv.method(), quads))
    }

    fn packed(&self) -> Weights<'_> {
        Weights {
            codes: &self.weights,
            filters: self.filters,
            groups: self.groups,
        }
    }
}

/// Lays out `codes`, channels first, as `frame`.
fn laid_out(frame: &Frame, codes: &[i16]) -> Vec<i16> {
    let mut image = vec![-7; frame.len()];
    frame.clear_border(&mut image);
    let plane = frame.height * frame.width;
    for (i, &code) in codes.iter().enumerate() {
        let at = frame.at(i % plane / frame.width, i % frame.width);
        image[at + i / plane] = code;
    }
    image
}

fn pick<'a, T>(rng: &mut ChaCha8Rng, of: &'a [T]) -> &'a T {
    &of[rng.random_range(0..of.len())]
}

#[test]
fn every_isa_matches_definition_on_random_shapes() {
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let mut seen = std::collections::HashMap::new();
    let layers = if cfg!(debug_assertions) { 400 } else { 4000 };
    for _ in 0..layers {
        let layer = Layer::random(&mut rng);
        let expected = layer.expected();
        for isa in Isa::available() {
            for quads in [false, true] {
                let [extra, threads] = [0..2, 1..5].map(|range| rng.random_range(range));
                let (found, kernel) = layer.run(isa, extra, quads, threads);
                assert!(
                    found == expected,
                    "{isa:?} {kernel:?} {threads} threads {layer:?}"
                );
                *seen.entry(kernel).or_insert(0) += 1;
            }
        }
    }
    // The direct and the grouped kernel in both forms, Winograd's, and the depthwise one.
    assert_eq!(seen.len(), 6, "every kernel was chosen: {seen:?}");
}

#[test]
fn bytes_are_chosen_where_all_codes_fit_and_isa_has_quads() {
    let weights = [[1, 127], [-1, -128]];
    let chosen = |weights: &[i16], range| {
        let weights = Weights {
            codes: weights,
            filters: 2,
            groups: 1,
        };
        lowest(weights, range)
    };
    let bytes = weights.as_flattened();
    assert_eq!(chosen(bytes, [-3, 252]), Some(-3));
    assert_eq!(chosen(bytes, [-128, 127]), Some(-128));
    // The border adds the code zero to every range.
    assert_eq!(chosen(bytes, [7, 255]), Some(0));
    assert_eq!(chosen(bytes, [-255, -9]), Some(-255));
    assert_eq!(chosen(bytes, [-1, 255]), None);
    assert_eq!(chosen(&[1, 128, 0, 0], [0, 255]), None);
    for isa in Isa::available() {
        let requantize = Requantize::new(vec![1e-3; 32], vec![0.0; 32], [0, 255]).unwrap();
        let window = Window {
            kernel: [3, 3],
            pads: Border {
                top: 1,
                left: 1,
                bottom: 1,
                right: 1,
            },
            ..Window::point()
        };
        let frame = Frame {
            border: window.pads,
            ..Frame::new(32, 8, 8)
        };
        let weights = Weights {
            codes: &[5; 32 * 32 * 9],
            filters: 32,
            groups: 1,
        };
        let method = |range| {
            let epilogue = Epilogue::Codes(requantize.clone());
            let conv = Conv::new(isa, window, (frame, range), frame, weights, epilogue);
            conv.unwrap().method()
        };
        let expected = if isa.has_quads() {
            Method::Direct
        } else {
            Method::Winograd
        };
        assert_eq!(method([0, 255]), expected, "{isa:?}");
        assert_eq!(method([-255, 255]), Method::Winograd, "{isa:?}");
    }
}
