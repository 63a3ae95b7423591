"""Poses over HTTP: starts `diffdope serve` on a free port, registers a mesh, sends pictures, prints the answer.

    python examples/08_service_client.py

The client needs httpx alone; the service needs `pip install "diffdope[service]"`.
"""

import importlib.util
import json
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

DEMO = Path(str(files("diffdope"))) / "data" / "demo"


def ask(address: str) -> None:
    import httpx

    with httpx.Client(base_url=address, timeout=60) as client:
        sent = [
            (part, (name, (DEMO / name).read_bytes()))
            for part, name in (("mesh", "object.ply"), ("beside", "object.png"))
        ]
        mesh = client.post("/meshes", files=sent, data={"unit": "mm"}).raise_for_status().json()

        camera = json.loads((DEMO / "camera.json").read_text())  # or K: [[fx, 0, cx], [0, fy, cy], [0, 0, 1]]
        part = {"request": json.dumps({"mesh": mesh["id"], "camera": camera})}
        images = {name: (DEMO / f"{name}.png").read_bytes() for name in ("rgb", "depth", "mask")}
        result = client.post("/locate", data=part, files=images).raise_for_status().json()
        print(f"{result['status']}, confidence {result['confidence']:.2f}, at {result['cam_t_m2c']} mm")


def main() -> None:
    command = [sys.executable, "-m", "diffdope.cli.main", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            ask(next(line for line in server.stdout if line.startswith("listening")).split()[2].rstrip(","))
        finally:
            server.terminate()


if __name__ == "__main__":
    missing = [
        name for name in ("fastapi", "uvicorn", "python_multipart", "httpx") if not importlib.util.find_spec(name)
    ]
    if missing:
        print(f'skipped: {missing[0]} is not installed; pip install "diffdope[service]" httpx')
    else:
        main()
