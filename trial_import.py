import sys, time, collections
import torch, torchvision, yaml
from archcalc.importing.pytorch.recording import record
from archcalc.importing.pytorch.spec import spec_of
from archcalc.language.zoo import read_text
from archcalc.language.expand import network_of
from archcalc.analysis import analyze
from archcalc.network import Network
from archcalc.errors import ArchcalcError
from torch.utils.flop_counter import FlopCounterMode
from torch import nn
import contextlib
@contextlib.contextmanager
def params_on_meta():
    old=nn.Module.register_parameter
    def reg(self,name,param):
        old(self,name,param)
        if param is not None and param.device.type!="meta":
            self._parameters[name]=nn.Parameter(param.data.to("meta"),requires_grad=param.requires_grad) if type(param) is nn.Parameter else param.__class__(param.to("meta"))
    nn.Module.register_parameter=reg
    try: yield
    finally: nn.Module.register_parameter=old
def to_meta(m):
    vals={n:b for n,b in m.named_buffers()}
    m.to("meta")
    return vals
def one(name, lib="torchvision", size=224):
    if lib=="torchvision":
        f=torchvision.models.get_model_builder(name)
        kw={}
        import inspect
        ps=inspect.signature(f).parameters
        with params_on_meta(): m=torchvision.models.get_model(name,weights=None,**({"weights_backbone":None} if "weights_backbone" in ps else {}))
    else:
        import timm
        with params_on_meta(): m=timm.create_model(name,pretrained=False)
        if any(b.device.type=="meta" for b in m.buffers()): m=timm.create_model(name,pretrained=False)
    m.eval(); vals=to_meta(m)
    sizes={"x":(3,size,size)}
    if lib=="timm": sizes={"x":m.default_cfg.get("input_size",(3,224,224))}
    if "video" in str(type(m)): sizes={"x":(3,16,224 if "swin" in name or "mvit" in name else 112,224 if "swin" in name or "mvit" in name else 112)}
    t=time.process_time(); g=record(m,sizes,vals); t1=time.process_time()-t
    t=time.process_time(); s=spec_of(g,name); t2=time.process_time()-t
    text=yaml.safe_dump(s,sort_keys=False)
    if "-v" in sys.argv: print(text)
    fam=read_text(text,"x.yaml","x")
    n=network_of(Network,fam,"x")
    a=analyze(n)
    used={id(t):t for c in g.calls for t in c.tensors if t.kind=="parameter"}
    import math
    want=sum(math.prod(t.shape) for t in used.values())
    with FlopCounterMode(display=False) as fc, torch.no_grad(): m(*[torch.zeros(2,*z,device="meta") for z in sizes.values()])
    macs=fc.get_total_flops()//4
    got=(a.totals.params, a.totals.macs)
    ok = got==(want,macs)
    print("OK" if ok else "WRONG", name, got, (want,macs), len(n.nodes), f"{t1:.2f}+{t2:.2f}s", flush=True)
    return ok
if __name__=="__main__":
    lib=sys.argv[1]; names=[x for x in sys.argv[2:] if x!="-v"]
    if names==["all"]: names=[n for n in torchvision.models.list_models() if "quantized" not in n]
    for n in names:
        try: one(n,lib)
        except ArchcalcError as e: print("REFUSED",n,str(e)[:600].replace("\n"," | "),flush=True)
        except Exception as e: print("CRASH",n,type(e).__name__,str(e)[:300].replace("\n"," "),flush=True)
