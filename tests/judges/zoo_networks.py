"""The networks of the zoo: their library, the size of their images, and the exporters that write them."""

CLASSES = 1000
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
# Number of photos whose logits are stored beside each file.
PHOTOS = 8
SEED = 20_261_130

TORCHVISION = {
    "resnet18": 128,
    "mobilenet_v2": 128,
    "mobilenet_v3_small": 128,
    "mobilenet_v3_large": 128,
    "shufflenet_v2_x0_5": 128,
    "squeezenet1_1": 128,
    "densenet121": 128,
    "mnasnet0_5": 128,
    "googlenet": 128,
    "inception_v3": 160,
    "regnet_x_400mf": 128,
    "regnet_y_400mf": 128,
    "efficientnet_b0": 128,
    "vgg11_bn": 224,
    "swin_t": 128,
}
TIMM = {
    "resnext26ts": 128,
    "tf_efficientnetv2_b0": 128,
    "tf_efficientnet_lite0": 128,
    "ghostnet_100": 128,
    "convnext_atto": 128,
    "swin_tiny_patch4_window7_224": 224,
    "vit_tiny_patch16_224": 224,
    "deit_tiny_patch16_224": 224,
    "maxvit_rmlp_pico_rw_256": 256,
    "repvgg_a0": 128,
    "lcnet_050": 128,
    "mobilenetv1_100": 128,
    "resnetv2_50": 128,
    "nf_regnet_b0": 128,
    "cs3darknet_focus_s": 128,
    "hrnet_w18_small": 128,
    "mobilenetv4_conv_small": 128,
    "mobilevit_xxs": 128,
    "edgenext_xx_small": 128,
    "mixnet_s": 128,
}
# `torchscript`: the older exporter, opset 17, which folds batch normalization; `-11`: opset 11; `-unfolded`: opset 13
# with BatchNormalization and Dropout nodes. `dynamo`: the newer exporter, opset 18, dynamic batch, one file;
# `-external`: with external data; `-fixed`: a batch of one.
EXPORTS = {
    "resnet18": ["torchscript", "dynamo"],
    "mobilenet_v2": ["torchscript-unfolded", "dynamo-external"],
    "mobilenet_v3_small": ["torchscript", "dynamo"],
    "shufflenet_v2_x0_5": ["torchscript-11", "dynamo"],
    "squeezenet1_1": ["torchscript", "dynamo"],
    "efficientnet_b0": ["torchscript", "dynamo-external"],
    "lcnet_050": ["torchscript", "dynamo-fixed"],
    "regnet_y_400mf": ["torchscript", "dynamo"],
    "ghostnet_100": ["torchscript", "dynamo"],
    "repvgg_a0": ["torchscript-unfolded", "dynamo"],
    "convnext_atto": ["torchscript", "dynamo"],
    "vit_tiny_patch16_224": ["torchscript", "dynamo-external"],
    "mnasnet0_5": ["torchscript-11"],
    "densenet121": ["torchscript", "dynamo"],
    "googlenet": ["torchscript"],
    "inception_v3": ["torchscript"],
    "mobilenet_v3_large": ["dynamo"],
    "regnet_x_400mf": ["dynamo"],
    "resnext26ts": ["torchscript"],
    "tf_efficientnetv2_b0": ["torchscript"],
    "tf_efficientnet_lite0": ["torchscript-unfolded"],
    "deit_tiny_patch16_224": ["dynamo"],
    "mobilenetv1_100": ["dynamo-external"],
    "resnetv2_50": ["torchscript"],
    "nf_regnet_b0": ["dynamo"],
    "cs3darknet_focus_s": ["dynamo"],
    "hrnet_w18_small": ["torchscript"],
    "mobilenetv4_conv_small": ["dynamo"],
    "mobilevit_xxs": ["torchscript"],
    "edgenext_xx_small": ["dynamo"],
    "mixnet_s": ["torchscript"],
    "swin_tiny_patch4_window7_224": ["dynamo"],
    "swin_t": ["torchscript"],
    "maxvit_rmlp_pico_rw_256": ["dynamo"],
    "vgg11_bn": ["torchscript"],
}
# The small subset, which every CI run checks: networks and their exporters.
SMALL = {
    "mobilenet_v2": ["dynamo-external"],
    "mobilenet_v3_small": ["torchscript"],
    "shufflenet_v2_x0_5": ["torchscript-11"],
    "squeezenet1_1": ["dynamo"],
    "efficientnet_b0": ["torchscript"],
    "lcnet_050": ["torchscript"],
    "regnet_y_400mf": ["torchscript"],
    "convnext_atto": ["dynamo"],
    "vit_tiny_patch16_224": ["dynamo-external"],
}
# Networks that zoo_respelled.py also writes in the form of Keras: convolutions, a mean, dense layers.
RESPELLED = ["resnet18", "mobilenet_v3_small", "lcnet_050"]


def file_names(networks):
    """Names `ARCH-EXPORTER` of the files of `networks`, which is SMALL or EXPORTS."""
    exported = [f"{name}-{exporter}" for name, some in networks.items() for exporter in some]
    return exported + [f"{name}-keras" for name in RESPELLED if f"{name}-torchscript" in exported]


def short_side(size):
    """Length of the short side of a photo before the centre crop to `size`, in ImageNet's ratio of 256 to 224."""
    return round(size * 256 / 224)


def build(name):
    """The network with random weights in evaluation mode, the side of its images in pixels, and the seed."""
    # Imported here, because the checks read the tables above in an environment without PyTorch.
    import timm
    import torch
    import torchvision

    seed = SEED + list(EXPORTS).index(name)
    torch.manual_seed(seed)
    if name in TORCHVISION:
        size = TORCHVISION[name]
        auxiliary = dict(init_weights=True) if name in ("googlenet", "inception_v3") else {}
        model = getattr(torchvision.models, name)(num_classes=CLASSES, **auxiliary)
    else:
        size = TIMM[name]
        # The exporter cannot write fused attention in opset 17.
        timm.layers.set_fused_attn(False)
        model = timm.create_model(name, num_classes=CLASSES, pretrained=False)
    for key, parameter in model.named_parameters():
        parameter.requires_grad_(False)
        # A layer scale starts at 1e-6, which would hide the errors of its branch.
        if parameter.dim() >= 1 and parameter.numel() > 1 and float(parameter.abs().max()) < 1e-4 and "bias" not in key:
            parameter.uniform_(0.3, 1.0)
    return model.eval(), size, seed
