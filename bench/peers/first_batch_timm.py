"""One measurement of timm on PyTorch, for bench/first_batch.ts: prints one line of JSON.

python first_batch_timm.py FOLDER MODEL BATCH SIZE
"""

import json
import sys
import time

start = time.perf_counter()
from _timm import timm, torch  # noqa: E402


def main():
    folder, model_id, batch, size = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    called = time.perf_counter()
    data = timm.data.create_dataset("", folder, split="train", is_training=True)
    loader = timm.data.create_loader(
        data, (3, size, size), batch, is_training=True, use_prefetcher=False, num_workers=2, persistent_workers=False
    )
    model = timm.create_model(model_id, num_classes=2).to(memory_format=torch.channels_last).train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
    for images, labels in loader:
        loss = torch.nn.functional.cross_entropy(model(images.to(memory_format=torch.channels_last)), labels)
        loss.backward()
        optimizer.step()
        loss.item()
        now = time.perf_counter()
        print(json.dumps({"fromStart": now - start, "fromCall": now - called}), flush=True)
        break


if __name__ == "__main__":
    main()
