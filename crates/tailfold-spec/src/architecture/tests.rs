use super::*;

fn network(body: Body, input: [usize; 3], classes: usize) -> Architecture {
    Architecture {
        body,
        input,
        classes,
        head: Head::Linear,
    }
}

fn resnet(depth: usize, classes: usize) -> Architecture {
    network(Body::cifar_resnet(depth), [3, 32, 32], classes)
}

const IMAGENET: [Body; 5] = [
    Body::Resnet50,
    Body::Resnext50,
    Body::Resnet152,
    Body::MobilenetV2,
    Body::EfficientnetLite0,
];

#[test]
fn parameter_counts_match_published() {
    // He et al., table 6: 0.27 M for ResNet-20 and 0.46 M for ResNet-32 on CIFAR-10; 0.470 M with 100 classes.
    assert_eq!(resnet(20, 10).num_parameters(), 269_722);
    assert_eq!(resnet(32, 10).num_parameters(), 464_154);
    assert_eq!(resnet(32, 100).num_parameters(), 470_004);
    // `num_params` in the metadata of torchvision's weights; timm's model card for the last one.
    let published = [25_557_032, 25_028_904, 60_192_808, 3_504_872, 4_652_008];
    for (body, published) in IMAGENET.into_iter().zip(published) {
        let imagenet = network(body, [3, 224, 224], 1000);
        assert_eq!(imagenet.num_parameters(), published, "{body:?}");
        let cosine = Head::Cosine { scale: 16.0 };
        let cosine = Architecture {
            head: cosine,
            ..imagenet
        };
        assert_eq!(cosine.num_parameters(), published - 1000, "{body:?}");
    }
}

#[test]
fn features_and_sizes_match_published() {
    let cases = [
        (Body::cifar_resnet(20), [3, 32, 32], 64, [8, 8]),
        (Body::Resnet50, [3, 224, 224], 2048, [7, 7]),
        (Body::Resnext50, [3, 224, 224], 2048, [7, 7]),
        (Body::Resnet152, [3, 299, 299], 2048, [10, 10]),
        (Body::MobilenetV2, [3, 224, 224], 1280, [7, 7]),
        (Body::EfficientnetLite0, [3, 224, 224], 1280, [7, 7]),
        // Each of the five halvings rounds up, for rows and columns separately.
        (Body::EfficientnetLite0, [1, 64, 300], 1280, [2, 10]),
        (Body::MobilenetV2, [1, 33, 48], 1280, [2, 2]),
    ];
    for (body, input, features, size) in cases {
        let architecture = network(body, input, 10);
        architecture.validate().unwrap();
        let plan = architecture.plan();
        let end = plan.layers().last().unwrap();
        assert_eq!((end.to, end.size), (features, size), "{body:?} {input:?}");
        assert_eq!(architecture.feature_dim(), features);
        assert_eq!(plan.stem.from, input[0]);
    }
}

/// The interpreters of a plan rely on these properties.
#[test]
fn layers_fit_together() {
    for body in [Body::cifar_resnet(8), Body::cifar_resnet(32)]
        .into_iter()
        .chain(IMAGENET)
    {
        let plan = network(body, [3, 65, 48], 10).plan();
        let mut channels = plan.stem.to;
        for block in &plan.blocks {
            let (first, end) = (&block.convs[0], block.end());
            assert_eq!(first.from, channels, "{}", block.name);
            for (conv, next) in block.convs().zip(block.convs().skip(1)) {
                assert_eq!(conv.to, next.from, "{}", block.name);
            }
            match &block.shortcut {
                Shortcut::None => {}
                Shortcut::Identity => {
                    assert_eq!(channels, end.to);
                    assert!(block.convs().all(|conv| conv.stride == 1));
                }
                Shortcut::Thinned { stride } => {
                    assert!(*stride == first.stride && channels <= end.to);
                }
                Shortcut::Projection(layer) => {
                    assert_eq!((layer.from, layer.to), (channels, end.to));
                    assert_eq!(layer.size, end.size);
                }
            }
            channels = end.to;
        }
        let mut names: Vec<String> = plan
            .layers()
            .flat_map(|layer| [layer.part("conv"), layer.part("norm")])
            .collect();
        let mut published: Vec<&String> = plan.layers().flat_map(|l| &l.published).collect();
        let count = plan.layers().count();
        names.sort();
        names.dedup();
        published.sort();
        published.dedup();
        assert_eq!((names.len(), published.len()), (2 * count, 2 * count));
        for layer in plan.layers() {
            assert_eq!(layer.from % layer.groups, 0);
            assert_eq!(layer.to % layer.groups, 0);
        }
    }
}

#[test]
fn cifar_blocks_follow_depth() {
    let blocks = |depth| {
        let plan = resnet(depth, 10).plan();
        let blocks = plan.blocks.into_iter().map(|block| {
            let conv = &block.convs[0];
            (conv.from, conv.to, conv.stride, block.shortcut)
        });
        blocks.collect::<Vec<_>>()
    };
    let thinned = Shortcut::Thinned { stride: 2 };
    assert_eq!(
        blocks(8),
        [
            (16, 16, 1, Shortcut::Identity),
            (16, 32, 2, thinned.clone()),
            (32, 64, 2, thinned)
        ]
    );
    assert_eq!(blocks(20).len(), 9);
}

/// TensorFlow's padding at the layer sizes of a 224-pixel input: an odd zero comes after the image, as in the published
/// graph.
#[test]
fn same_padding_follows_size() {
    let plan = network(Body::EfficientnetLite0, [3, 224, 224], 10).plan();
    let strided: Vec<_> = plan.layers().filter(|layer| layer.stride == 2).collect();
    let pads: Vec<_> = strided.iter().map(|layer| layer.pads).collect();
    let (three, five) = ([0, 0, 1, 1], [1, 1, 2, 2]);
    assert_eq!(pads, [three, three, five, three, five]);
    // 33 rows need an even number of zeros, one before and one after the image; 224 columns need one zero, after it.
    let plan = network(Body::EfficientnetLite0, [3, 33, 224], 10).plan();
    assert_eq!(plan.stem.pads, [1, 0, 1, 1]);
}

#[test]
fn names_match_checkpoints_and_published_files() {
    let find = |body: Body, name: &str| {
        let plan = network(body, [3, 64, 48], 10).plan();
        let layer = plan.layers().find(|layer| layer.part("conv") == name);
        let layer = layer.unwrap_or_else(|| panic!("{body:?} has no {name}"));
        let [conv, norm] = &layer.published;
        format!("{} {conv} {norm}", layer.part("norm"))
    };
    for (body, name, expect) in [
        (Body::cifar_resnet(8), "stem.conv", "stem.norm conv1 bn1"),
        (
            Body::cifar_resnet(20),
            "blocks.4.conv2",
            "blocks.4.norm2 layer2.1.conv2 layer2.1.bn2",
        ),
        (
            Body::Resnet50,
            "blocks.3.conv3",
            "blocks.3.norm3 layer2.0.conv3 layer2.0.bn3",
        ),
        (
            Body::Resnet50,
            "blocks.3.shortcut.conv",
            "blocks.3.shortcut.norm layer2.0.downsample.0 layer2.0.downsample.1",
        ),
        (
            Body::MobilenetV2,
            "blocks.0.conv2",
            "blocks.0.norm2 features.1.conv.1 features.1.conv.2",
        ),
        (
            Body::MobilenetV2,
            "blocks.1.conv2",
            "blocks.1.norm2 features.2.conv.1.0 features.2.conv.1.1",
        ),
        (
            Body::MobilenetV2,
            "last.conv",
            "last.norm features.18.0 features.18.1",
        ),
        (
            Body::EfficientnetLite0,
            "blocks.0.conv2",
            "blocks.0.norm2 blocks.0.0.conv_pw blocks.0.0.bn2",
        ),
        (
            Body::EfficientnetLite0,
            "blocks.2.conv3",
            "blocks.2.norm3 blocks.1.1.conv_pwl blocks.1.1.bn3",
        ),
    ] {
        assert_eq!(find(body, name), expect);
    }
}

#[test]
fn impossible_networks_are_refused() {
    assert_eq!(resnet(18, 10).validate(), Err(ArchitectureError::Depth(18)));
    assert_eq!(resnet(0, 10).validate(), Err(ArchitectureError::Depth(0)));
    let message = |architecture: Architecture| architecture.validate().unwrap_err().to_string();
    let head = Head::Cosine { scale: f32::NAN };
    assert_eq!(
        message(Architecture {
            head,
            ..resnet(8, 10)
        }),
        "architecture.head.scale is NaN, expected a positive number"
    );
    assert_eq!(
        message(network(Body::MobilenetV2, [3, 31, 224], 10)),
        "architecture.input is [3, 31, 224], expected 32 to 4096 pixels a side"
    );
    assert_eq!(
        message(network(Body::Resnet50, [4, 224, 224], 10)),
        "architecture.input is [4, 224, 224], expected 1 or 3 channels"
    );
}

#[test]
fn network_is_written_by_its_keys() {
    let cifar = "depth = 8\nwidth = 16\nstem_stride = 2\ninput = [1, 28, 28]\nclasses = 10\n\n\
                 [head]\nkind = \"cosine\"\nscale = 16.0\n";
    let mobile = "kind = \"mobilenet-v2\"\ninput = [3, 224, 224]\nclasses = 10\n\n[head]\nkind = \"linear\"\n";
    for text in [cifar, mobile] {
        let architecture: Architecture = toml::from_str(text).unwrap();
        architecture.validate().unwrap();
        assert_eq!(toml::to_string(&architecture).unwrap(), text);
    }
    // Each network is written with its kind, which is also its display name.
    for body in IMAGENET {
        let architecture = network(body, [3, 64, 48], 7);
        let text = toml::to_string(&architecture).unwrap();
        let name = architecture.name();
        assert!(text.starts_with(&format!("kind = \"{name}\"")), "{text}");
        assert_eq!(toml::from_str::<Architecture>(&text).unwrap(), architecture);
    }
    assert_eq!(resnet(20, 10).name(), "resnet20");
}

#[test]
fn keys_of_another_network_are_refused() {
    let message = |keys: &str| {
        let text =
            format!("{keys}\ninput = [3, 64, 64]\nclasses = 10\nhead = {{ kind = \"linear\" }}");
        toml::from_str::<Architecture>(&text)
            .unwrap_err()
            .to_string()
    };
    for (keys, expect) in [
        ("", "the network `cifar-resnet` needs a `depth`"),
        (
            "kind = \"resnet50\"\ndepth = 50",
            "the network `resnet50` takes no `depth`",
        ),
        (
            "kind = \"resnext50\"\nstem_stride = 2",
            "the network `resnext50` takes no `stem_stride`",
        ),
        ("kind = \"vgg\"", "unknown variant `vgg`"),
        ("depth = 8\nlayers = 3", "unknown field `layers`"),
    ] {
        let found = message(keys);
        assert!(found.contains(expect), "{found}");
    }
}
