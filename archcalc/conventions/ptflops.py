"""ptflops with two backends: pytorch (hooks and patched functionals) and aten (operators of ATen)."""

from __future__ import annotations

from archcalc.conventions.convention import Convention, Layers, Tally, Term, Use, layer_types
from archcalc.conventions.counts import (
    CONV,
    IN_ATTENTION,
    NETWORK_OF_BIAS,
    NO_ATTENTION,
    NOT_IN_TORCH,
    OTHER_WEIGHTS,
    POOLS,
    UNHOOKED,
    additions,
    affine_values,
    bias_products,
    continuous,
    cosine,
    hidden,
    input_values,
    no_framework_has,
    response_norm_operations,
    scores,
    setting,
    unhooked,
    values,
)
from archcalc.conventions.source_style import (
    APART,
    CALLED,
    EINSUM,
    FUNCTIONAL,
    MODULE,
    NOT_WRITTEN,
    OPERATOR,
    TORCHVISION,
    WRITTEN,
)
from archcalc.layers.move import MOVEMENTS
from archcalc.layers.region import REGIONS
from archcalc.sizes import Int

VERSION = "0.7.5"
HOOKED = (MODULE,)
RELUS = ("relu", "prelu", "elu", "gelu")
"""Activations whose module has a hook and also calls a patched functional."""
NO_HOOK = "a subclass of a hooked class has no hook, and counts as nothing"
TWICE = "the module's hook counts the values, and so does the patched functional that the module calls"


def _multi_head(use: Use) -> bool:
    """Whether the attention is part of nn.MultiheadAttention, which has a hook."""
    return use.type == "attention" and use.form == FUNCTIONAL


def _as_products(use: Use) -> bool:
    """Whether the attention is written as products and F.softmax."""
    return use.type == "attention" and use.form in (WRITTEN, EINSUM)


def _no_module(use: Use) -> bool:
    """Whether no framework has a module for the convolution, and it is not written as torch.matmul."""
    return no_framework_has(use) and use.form != OPERATOR


def _by_operator(use: Use) -> bool:
    """Whether the product of queries and keys is written with the operator @."""
    return cosine(use) and use.form == WRITTEN


def _queries_by_keys(use: Use) -> Int:
    depth: Int = use.inputs[0].channels // setting(use, "heads")
    return scores(use) * depth


def _unseen(use: Use) -> bool:
    """Whether linear layers compute the bias of an attention that is omitted."""
    return continuous(use) and use.form in (OPERATOR, EINSUM)


def _scaled_queries_and_scores(use: Use) -> Int:
    """1 per query value, and 1 per score for soft-max."""
    return use.input_values + scores(use)


BIASES = Term("biases: 1 per output value", Layers(*CONV, "linear"), additions)
MULTIPLY_ADDS = layer_types("conv conv_table conv_transpose locally_connected linear matmul")

OPERATIONS = Tally(
    BIASES._replace(
        where=Layers(*CONV, "linear", forms=NOT_WRITTEN, without="weight_norm"),
        place="conv_flops_counter_hook, linear_flops_counter_hook",
    ),
    Term(
        "batch normalisation: 2 per value (1 without scale and shift)",
        Layers("batch_norm", without="frozen"),
        affine_values,
        place="bn_flops_counter_hook",
    ),
    Term(
        "group and instance normalisation: 2 per value (1 without scale and shift)",
        Layers("group_norm", "instance_norm", forms=HOOKED),
        affine_values,
        place="bn_flops_counter_hook",
    ),
    Term(
        "layer normalisation: 1 per value",
        Layers("layer_norm", forms=HOOKED),
        input_values,
        place="MODULES_MAPPING",
    ),
    Term(
        "modules of activations: 1 per value",
        Layers(*RELUS, "relu6", "leaky_relu", forms=HOOKED),
        values,
        place="relu_flops_counter_hook",
    ),
    Term(
        "modules of pooling: 1 per input value",
        Layers(*POOLS, forms=HOOKED),
        input_values,
        place="pool_flops_counter_hook",
    ),
    Term(
        "modules of activations counted a second time",
        Layers(*RELUS, forms=HOOKED),
        values,
        place="patch_functional",
        bug=TWICE,
    ),
    Term(
        "modules of pooling counted a second time",
        Layers(*POOLS, forms=HOOKED),
        input_values,
        place="patch_functional",
        bug=TWICE,
    ),
    Term(
        "activations called as a functional: 1 per value",
        Layers(*RELUS, "relu6", forms=(FUNCTIONAL,)),
        input_values,
        place="patch_functional",
    ),
    Term(
        "pooling called as a functional: 1 per input value",
        Layers(*POOLS, forms=(FUNCTIONAL,)),
        input_values,
        place="patch_functional",
    ),
    Term(
        "SiLU and soft-max, whose modules have no hook: 1 per value",
        Layers("silu", "softmax", forms=CALLED),
        input_values,
        place="patch_functional",
    ),
    Term(
        "modules of upsampling: 1 per output value",
        Layers("upsample", forms=HOOKED),
        values,
        place="upsample_flops_counter_hook",
    ),
    Term(
        "modules of upsampling counted a second time",
        Layers("upsample", forms=HOOKED),
        values,
        place="patch_functional",
        bug=TWICE,
    ),
    Term(
        "upsampling called as a functional: 1 per output value",
        Layers("upsample", forms=(FUNCTIONAL,)),
        values,
        place="patch_functional",
    ),
    Term(
        "response normalisation: its products, sum and pooling",
        Layers("lrn"),
        response_norm_operations,
        place="patch_tensor_ops",
    ),
    Term(
        "nn.MultiheadAttention: scaled queries, and 1 per score for soft-max",
        _multi_head,
        _scaled_queries_and_scores,
        place="multihead_attention_counter_hook",
    ),
    Term("F.softmax of attention: 1 per score", _as_products, scores, place="patch_functional"),
    Term(
        "products of queries and keys in cosine attention",
        _by_operator,
        _queries_by_keys,
        -1,
        "patch_tensor_ops",
        "no patch for the operator @",
    ),
    Term(NETWORK_OF_BIAS, _unseen, bias_products, place="linear_flops_counter_hook"),
    Term(f"{NETWORK_OF_BIAS}: biases", continuous, hidden, place="linear_flops_counter_hook"),
    Term(
        f"ReLU between {NETWORK_OF_BIAS}, twice",
        continuous,
        hidden,
        2,
        "relu_flops_counter_hook, patch_functional",
        TWICE,
    ),
    omissions=(
        IN_ATTENTION._replace(
            label="F.linear outside nn.Linear",
            where=Layers("linear", forms=(WRITTEN,)),
            place="patch_functional",
            bug="F.linear is not counted, because modules of nn.Linear have a hook",
        ),
        NO_ATTENTION._replace(where=Layers("attention", forms=(OPERATOR,)), place="patch_functional"),
        NO_ATTENTION._replace(
            where=Layers("attention", forms=(EINSUM,)), place="patch_tensor_ops", bug="no patch for torch.einsum"
        ),
        OTHER_WEIGHTS._replace(where=_no_module, place="patch_functional"),
        Term(
            UNHOOKED,
            unhooked,
            place="is_supported_instance",
            bug=NO_HOOK,
        ),
    ),
)

CONVENTIONS = (
    Convention(
        "ptflops",
        "multiply-adds and biases, 2 per batch-normalised value, 1 per activation and per input value of pooling",
        "ptflops/pytorch_ops.py and pytorch_engine.py, backend pytorch, on the CPU",
        VERSION,
        operations_name="MACs (ptflops)",
        flops_per_mac=None,
        multiply_adds=MULTIPLY_ADDS,
        nothing=layer_types(
            """
            scale layer_scale position class_token parameter index_select attention sigmoid hard_sigmoid hard_swish tanh unpool grid_sample add mean multiply reduce
            subtract divide maximum minimum math
            hard_tanh selu softplus mish glu log_softmax rms_norm l2_norm
            input identity flatten concat slice crop pad pad_channels dropout drop_path
            """
        )
        | MOVEMENTS
        | REGIONS,
        unknown_reason=NOT_IN_TORCH,
        operations=OPERATIONS,
        counts_side_heads=True,
        library=TORCHVISION,
        more="modules of ReLU and pooling count twice",
    ),
    Convention(
        "ptflops-aten",
        "multiply-adds, and 1 per bias and output; nothing else",
        "ptflops/aten_ops.py, backend aten",
        VERSION,
        operations_name="MACs (ptflops)",
        flops_per_mac=None,
        multiply_adds=MULTIPLY_ADDS | {"attention"},
        nothing=layer_types(
            """
            batch_norm group_norm instance_norm layer_norm lrn scale layer_scale position class_token parameter index_select softmax
            relu relu6 leaky_relu prelu elu sigmoid hard_sigmoid silu hard_swish gelu tanh
            adaptive_max_pool global_max_pool
            hard_tanh selu softplus mish glu log_softmax rms_norm l2_norm
            max_pool avg_pool adaptive_avg_pool global_avg_pool upsample unpool grid_sample add mean multiply reduce
            subtract divide maximum minimum math
            input identity flatten concat slice crop pad pad_channels dropout drop_path
            """
        )
        | MOVEMENTS
        | REGIONS,
        unknown_reason=NOT_IN_TORCH,
        operations=Tally(
            BIASES._replace(place="conv_flop, addmm_flop"),
            Term(
                "biases added after the product of a linear layer, by another operator",
                Layers("linear", forms=(APART,)),
                additions,
                -1,
                "addmm_flop",
            ),
            Term(f"{NETWORK_OF_BIAS}: biases", continuous, hidden, place="addmm_flop"),
        ),
        counts_side_heads=True,
        counts_fused_biases=True,
    ),
)
