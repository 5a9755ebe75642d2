"""A sample of imported models: parameters, statistics, shapes, multiply-adds and text, exactly.

One cheap model of a family each, chosen by a greedy cover: the 89 families that were tried have layers of 49 types, in 710
forms by their settings; these models have all 49 types, and 698 of the forms.
"""

from __future__ import annotations

import pytest

pytest.importorskip("timm")

from archcalc.witness.import_figures import figures

NAMES = """
    caformer_s18 coat_lite_tiny coatnet_pico_rw_224 convit_tiny convmixer_1024_20_ks9_p14 cpubone_nano crossvit_tiny_240
    cs3darknet_s cspnext_tiny davit_tiny deit_tiny_distilled_patch16_224 dla46_c eca_nfnet_l0 eca_resnext26ts
    edgenext_xx_small efficientformer_l1 efficientformerv2_s0 efficientvim_m1 efficientvit_b0 efficientvit_m2
    ese_vovnet19b_slim_dw eva02_tiny_patch14_224 fasternet_t0 gcvit_xxtiny hiera_tiny_224 hieradet_small
    inception_next_atto inception_v4 lambda_resnet26t levit_128s lowformer_b0 maxvit_pico_rw_256 mixer_s32_224
    mobilenetv4_conv_small_050 mobilevit_xxs mobilevitv2_050 mvitv2_tiny nest_tiny pit_ti_224 poolformerv2_s12 pvt_v2_b0
    resmlp_12_224 resnest14d resnet26d resnetv2_18 samvit_base_patch16_224 shvit_s1 skresnet18 starnet_s050
    swiftformer_xs swin_tiny_patch4_window7_224 swinv2_tiny_window8_256 test_efficientnet test_resnet test_vit3
    tiny_vit_5m_224 twins_svt_small visformer_tiny vit_tiny_r_s16_p8_224 xcit_nano_12_p16_224
"""


@pytest.mark.parametrize("name", NAMES.split())
def test_an_import_is_exact(name: str) -> None:
    row = figures(f"timm:{name}")
    assert (row["verdict"], row["reasons"]) == ("exact", [])
    assert row["shapes"] > 5
