"""How tools count, read from their source and held against what they print.

The tests run fvcore, torchinfo, ptflops, thop and torch's counter on torchvision's models and demand a
remainder of zero.
"""

from __future__ import annotations

from archcalc.conventions import calflops
from archcalc.conventions.convention import NOTHING, Convention, Reuse, Tally
from archcalc.conventions.counts import ACTIVATIONS, ADAPTIVE, CONV, FREE
from archcalc.conventions.source_style import TIMM, TORCHVISION
from archcalc.conventions.tallies import (
    BIASES,
    FVCORE,
    KERAS_PARAMS,
    MACTS,
    PTFLOPS,
    THOP,
    THOP_PARAMS,
    TORCHINFO,
    TORCHINFO_MEMORY,
    TORCHSUMMARY_MEMORY,
    TORCHSUMMARY_PARAMS,
)

IN_TORCH = frozenset(
    (
        *(*CONV, "linear", "batch_norm", "layer_norm", "lrn", "scale", "layer_scale", "softmax", *ACTIVATIONS),
        *("max_pool", "avg_pool", *ADAPTIVE, "upsample", "add", "mean", "multiply", *FREE),
    )
)
"""Layer types that were measured with the tools, as torch.nn has them: a module, a functional or an operator."""
NOT_IN_TORCH = "torch.nn has no such layer, so the count depends on how the code writes it"
IN_KERAS = IN_TORCH - {"conv_table", "prelu"}
NOT_IN_KERAS = "Keras has no such layer, or owns other weights in it"

TOOLS = (
    Convention(
        "fvcore",
        "multiply-adds, plus 2 per batch-normalised value, 5 per layer-normalised value and 1 per value that adaptive "
        "pooling reads; biases, activations and other poolings count nothing",
        "fvcore/nn/flop_count.py and jit_handles.py",
        "0.1.5.post20221221",
        "flops (fvcore)",
        None,
        operations=FVCORE,
        side_params=True,
        sees_code=TORCHVISION,
        known=IN_TORCH,
        silence=NOT_IN_TORCH,
    ),
    Convention(
        "torchinfo",
        "parameters called weight or bias: those of a convolution once per output position, all others once per image",
        "torchinfo/layer_info.py, calculate_macs; model_statistics.py",
        "1.8.0",
        "mult-adds",
        None,
        operations=TORCHINFO,
        memory=TORCHINFO_MEMORY,
        memory_name="Forward/backward pass size",
        memory_unit=(10**6, "MB", 2),
        side_params=True,
        sees_code=TORCHVISION,
        known=IN_TORCH,
        silence=NOT_IN_TORCH,
        reuse=Reuse(tied=True, place="ModelStatistics"),
    ),
    Convention(
        "ptflops",
        "multiply-adds and biases, plus 2 per batch-normalised value, 1 per rectified and 1 per pooled value; modules "
        "of ReLU and pooling count twice",
        "ptflops/pytorch_ops.py and pytorch_engine.py, backend pytorch, on the CPU",
        "0.7.5",
        "MACs (ptflops)",
        None,
        operations=PTFLOPS,
        side_params=True,
        sees_code=TORCHVISION,
        known=IN_TORCH,
        silence=NOT_IN_TORCH,
    ),
    Convention(
        "ptflops-aten",
        "multiply-adds and 1 per biased output; nothing else",
        "ptflops/aten_ops.py, backend aten",
        "0.7.5",
        "MACs (ptflops)",
        None,
        operations=Tally(BIASES._replace(place="conv_flop, addmm_flop")),
        side_params=True,
        known=IN_TORCH,
        silence=NOT_IN_TORCH,
    ),
    Convention(
        "thop",
        "multiply-adds without biases, plus 4 per normalised value and what average pooling reads and makes; what is "
        "not of a hooked class counts nothing, its parameters neither",
        "thop/profile.py and thop/vision/basic_hooks.py",
        "0.1.1.post2209072238",
        "MACs (thop)",
        None,
        operations=THOP,
        parameters=THOP_PARAMS,
        sees_code=TORCHVISION,
        known=IN_TORCH,
        silence=NOT_IN_TORCH,
        reuse=Reuse(tied=True, place="profile"),
    ),
    Convention(
        "calflops-flops",
        "2 per multiply-add, 1 per bias of a convolution, 2 per batch-normalised and 5 per layer-normalised value, 1 "
        "per activated value and per value that a pooling reads",
        "calflops/pytorch_ops.py, calculate_flops()[0]",
        "0.3.2",
        "FLOPs (calflops)",
        None,
        operations=calflops.FLOPS,
        side_params=True,
        sees_code=TORCHVISION,
        known=IN_TORCH,
        silence=NOT_IN_TORCH,
    ),
    Convention(
        "calflops-macs",
        "multiply-adds of convolutions and linear layers",
        "calflops/pytorch_ops.py, calculate_flops()[1]",
        "0.3.2",
        operations=calflops.MACS,
        side_params=True,
        known=IN_TORCH,
        silence=NOT_IN_TORCH,
    ),
    Convention(
        "torch",
        "2 per multiply-add of convolutions and matrix products; operators without a formula count nothing",
        "torch/utils/flop_counter.py, FlopCounterMode",
        "2.14.1",
        "FLOPs",
        None,
        operations=Tally(base=2),
        side_params=True,
        known=IN_TORCH,
        silence=NOT_IN_TORCH,
    ),
    Convention(
        "torchvision",
        "multiply-adds of convolutions and matrix products: half of torch's counter, printed in G",
        "torchvision/models: _ops and num_params of the weights entries",
        "0.29.1",
        side_params=True,
        known=IN_TORCH,
        silence=NOT_IN_TORCH,
    ),
    Convention(
        "timm",
        "fvcore's count of timm's models, whose gates pool by a mean, for nothing; activations are the outputs of "
        "convolutions and linear layers",
        "huggingface/pytorch-image-models, benchmark.py, profile_fvcore",
        "1.0.19",
        "MACs (timm)",
        None,
        operations=FVCORE,
        memory=MACTS,
        memory_name="activations (macts)",
        memory_unit=(4, "values", 0),
        sees_code=TIMM,
        known=IN_TORCH,
        silence=NOT_IN_TORCH,
    ),
    Convention(
        "keras",
        "parameters with the moving mean and variance of batch normalisation; operations are not counted",
        "keras.Model.count_params",
        "3",
        "operations",
        None,
        operations=NOTHING,
        parameters=KERAS_PARAMS,
        known=IN_KERAS,
        silence=NOT_IN_KERAS,
    ),
    Convention(
        "torchsummary",
        "memory is every module's output, in place or not, counted twice (for gradients), and again for each module that "
        "contains it; operations are not counted",
        "torchsummary/torchsummary.py, summary",
        "1.5.1",
        "operations",
        None,
        operations=NOTHING,
        parameters=TORCHSUMMARY_PARAMS,
        memory=TORCHSUMMARY_MEMORY,
        memory_name="Forward/backward pass size",
        memory_unit=(2**20, "MB", 2),
        sees_code=TORCHVISION,
        known=IN_TORCH,
        silence=NOT_IN_TORCH,
        reuse=Reuse(called=True, tied=True, place="register_hook"),
    ),
)
