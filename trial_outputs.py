import sys; sys.path.insert(0,'/tmp/lead')
from ti import *
from archcalc.witness import build
from archcalc.witness.counterpart import pairs, take, fill, output_difference
import timm
def check(name, lib, size=64):
    m = (torchvision.models.get_model(name,weights=None) if lib=="torchvision" else timm.create_model(name,pretrained=False)).eval()
    size = m.default_cfg["input_size"] if lib=="timm" else (3,size,size)
    import copy
    meta=copy.deepcopy(m); vals=to_meta(meta)
    s=spec_of(record(meta,{"x":size},vals),name)
    n=network_of(Network,read_text(yaml.safe_dump(s,sort_keys=False),"x.yaml","x"),"x")
    b=build(n).eval(); img=torch.randn(1,*size)
    fill(m)
    p,prob=pairs(b,m,img)
    if prob: print(name,"PAIRS",prob); return
    with torch.no_grad(): take(b,m,p)
    print(name, len(p), "diff", output_difference(b.eval(),m.eval(),img), flush=True)
for a in sys.argv[1:]:
    lib,_,name=a.partition(":")
    try: check(name,lib,224 if name in("swin_t","maxvit_t","vit_b_16") else 64)
    except Exception as e: print(a,type(e).__name__,str(e)[:300])
