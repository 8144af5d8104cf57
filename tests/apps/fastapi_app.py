"""A Docker Space's kind of app: plain HTTP, both payload forms. Usage: fastapi_app.py PORT"""

import sys

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel, Field

app = FastAPI(title="generator", version="1.2.3")


class Parameters(BaseModel):
    max_new_tokens: int = Field(25, ge=1, le=512)
    temperature: float = 0.1


class Inputs(BaseModel):
    inputs: str
    parameters: Parameters = Parameters()


class Data(BaseModel):
    data: list[str]


@app.post("/generate")
def generate(body: Inputs) -> dict[str, str]:
    return {"generated_text": f"{body.inputs}|{body.parameters.max_new_tokens}"}


@app.post("/api/generate")
def api_generate(body: Data) -> dict[str, list[str]]:
    return {"data": [item.upper() for item in body.data]}


@app.post("/fails")
def fails(body: Data) -> None:
    raise RuntimeError("always")


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
