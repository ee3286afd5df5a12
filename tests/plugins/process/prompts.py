"""Four learnt words before each class name (CoOp, class-specific), through the frozen text tower of a CLIP in Hugging Face's layout."""
import json
import tailmark_method as tm
import torch
from torch.nn import functional as F

KINDS = {"F16": torch.float16, "F32": torch.float32, "BF16": torch.bfloat16}


class TextTower:
    def __init__(self, folder):
        self.w = {name: torch.frombuffer(bytearray(data), dtype=KINDS[kind]).view(shape).float()
                  for name, (kind, shape, data) in tm.read_safetensors(folder + "/model.safetensors").items() if name[:5] == "text_"}
        config = json.load(open(folder + "/config.json"))["text_config"]
        self.layers, self.heads = config["num_hidden_layers"], config["num_attention_heads"]

    def linear(self, x, name):
        return F.linear(x, self.w[name + ".weight"], self.w[name + ".bias"])

    def norm(self, x, name):
        return F.layer_norm(x, x.shape[-1:], self.w[name + ".weight"], self.w[name + ".bias"])

    def __call__(self, words, ends):
        """Features [n, D] of word embeddings [n, L, W]; texts end at ends [n]."""
        x = words + self.w["text_model.embeddings.position_embedding.weight"][:words.shape[1]]
        for at in ("text_model.encoder.layers.%d." % i for i in range(self.layers)):
            h = self.norm(x, at + "layer_norm1")
            q, k, v = (self.linear(h, at + "self_attn.%s_proj" % part).unflatten(-1, (self.heads, -1)).transpose(1, 2)
                       for part in "qkv")
            h = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).flatten(2)
            x = x + self.linear(h, at + "self_attn.out_proj")
            h = self.linear(self.norm(x, at + "layer_norm2"), at + "mlp.fc1")
            x = x + self.linear(h * torch.sigmoid(1.702 * h), at + "mlp.fc2")
        x = self.norm(x, "text_model.final_layer_norm")
        return x[torch.arange(len(ends)), ends] @ self.w["text_projection.weight"].T


class Prompts(tm.Method):
    def __init__(self, problem, options, scratch):
        super().__init__(problem, options, scratch)
        text = problem["text"]
        self.tower, self.scale, self.offset = TextTower(text["weights"]), text["logit_scale"], None
        self.words, self.ends = tm.read_npy(text["embeddings"]).torch(), tm.read_npy(text["tokens"]).torch().argmax(1)
        self.context = (0.02 * torch.randn(self.words[:, 1:5].shape, generator=torch.Generator().manual_seed(0))).requires_grad_()
        self.optimiser = torch.optim.AdamW([self.context], lr=options["lr"], weight_decay=0.0)
        self.parameters = self.context.numel()

    def logits(self, x):
        prompts = torch.cat([self.words[:, :1], self.context, self.words[:, 5:]], 1)
        return self.scale * F.normalize(x) @ F.normalize(self.tower(prompts, self.ends)).T

    def fit(self, train, validation):
        x, y, epochs = train.inputs.torch(), train.labels.torch().float(), self.options["epochs"]
        if self.offset is None:  # Logits are far from log-odds: in the loss alone, where they begin is taken away.
            absent = 1 - y.mean(0).clamp(0.5 / len(y), 1 - 0.5 / len(y))
            self.offset = torch.stack([column.quantile(q) for column, q in zip(self.logits(x).detach().T, absent)])
        for epoch in range(self.epoch, epochs):
            order = torch.randperm(len(x), generator=torch.Generator().manual_seed(self.seed("shuffle", epoch)))
            for rows in order.split(self.options["batch_size"]):
                loss = F.binary_cross_entropy_with_logits(self.logits(x[rows]) - self.offset, y[rows])
                self.optimiser.zero_grad()
                loss.backward()
                self.optimiser.step()
            if not self.progress(epoch + 1, epochs, loss=loss.item()):
                break

    def predict(self, batch):
        return self.logits(batch.inputs.torch())

    def state(self):
        return {"context": self.context, "offset": self.offset, **{k: v.reshape(-1) if k == "step" else v for k, v in
                                                                   self.optimiser.state.get(self.context, {}).items()}}

    def load(self, state):
        self.context.data, self.offset = state.pop("context").torch(), state.pop("offset").torch()
        self.optimiser.state[self.context] = {k: v.torch()[0] if k == "step" else v.torch() for k, v in state.items()}


tm.main(Prompts)
