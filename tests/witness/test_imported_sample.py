"""A sample of imported models: parameters, statistics, shapes, multiply-adds and text, exactly.

One cheap model of a family each, chosen by a greedy cover: the 89 families that were tried have layers of 49 types, in 710
forms by their settings; these models have all 49 types, and 698 of the forms. The first 25 have all types, and most forms
for the seconds that they take; ARCHCALC_IMPORTS=all runs all models.
"""

from __future__ import annotations

import os

import pytest

pytest.importorskip("timm")

from archcalc.witness.import_figures import figures

FIRST = """
    caformer_s18 coat_lite_tiny convit_tiny cpubone_nano cspnext_tiny dla46_c eca_nfnet_l0 efficientvim_m1
    efficientvit_b0 efficientvit_m2 ese_vovnet19b_slim_dw eva02_tiny_patch14_224 hiera_tiny_224 hieradet_small
    lambda_resnet26t levit_128s lowformer_b0 mobilevitv2_050 nest_tiny poolformerv2_s12 resmlp_12_224 resnest14d
    starnet_s050 swinv2_tiny_window8_256 test_efficientnet
"""
OTHERS = """
    coatnet_pico_rw_224 convmixer_1024_20_ks9_p14 crossvit_tiny_240 cs3darknet_s davit_tiny
    deit_tiny_distilled_patch16_224 eca_resnext26ts edgenext_xx_small efficientformer_l1 efficientformerv2_s0
    fasternet_t0 gcvit_xxtiny inception_next_atto inception_v4 maxvit_pico_rw_256 mixer_s32_224
    mobilenetv4_conv_small_050 mobilevit_xxs mvitv2_tiny pit_ti_224 pvt_v2_b0 resnet26d resnetv2_18
    samvit_base_patch16_224 shvit_s1 skresnet18 swiftformer_xs swin_tiny_patch4_window7_224 test_resnet test_vit3
    tiny_vit_5m_224 twins_svt_small visformer_tiny vit_tiny_r_s16_p8_224 xcit_nano_12_p16_224
"""
NAMES = FIRST + OTHERS if os.environ.get("ARCHCALC_IMPORTS") == "all" else FIRST


@pytest.mark.parametrize("name", NAMES.split())
def test_an_import_is_exact(name: str) -> None:
    row = figures(f"timm:{name}")
    assert (row["verdict"], row["reasons"]) == ("exact", [])
    assert row["shapes"] > 5
