"""A Docker Space's kind of app: plain HTTP, both payload forms, every place a value can be in.

Usage: fastapi_app.py PORT, or fastapi_app.py PORT silent for one that does not describe itself.
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator

import uvicorn
from fastapi import Cookie, FastAPI, File, Form, Header, Request, Response, UploadFile
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

SILENT = "silent" in sys.argv or os.environ.get("APP_SILENT") == "1"
app = FastAPI(title="generator", version="1.2.3", openapi_url=None if SILENT else "/openapi.json")
released = asyncio.Event()


class Parameters(BaseModel):
    max_new_tokens: int = Field(25, ge=1, le=512)
    temperature: float = 0.1


class Inputs(BaseModel):
    inputs: str
    parameters: Parameters = Parameters()


class Data(BaseModel):
    data: list[str]


class Note(BaseModel):
    text: str
    stars: int = Field(3, ge=1, le=5)


@app.get("/health")
def health() -> dict[str, str]:
    return {"status": "up"}


@app.get("/hidden", include_in_schema=False)
def hidden() -> dict[str, str]:
    return {"status": "hidden"}


@app.post("/generate")
def generate(body: Inputs) -> dict[str, str]:
    return {"generated_text": f"{body.inputs}|{body.parameters.max_new_tokens}"}


@app.post("/api/generate")
def api_generate(body: Data) -> dict[str, list[str]]:
    return {"data": [item.upper() for item in body.data]}


@app.get("/guarded")
def guarded(x_key: str = Header(), sid: str = Cookie(), lang: str = Header("en")) -> dict[str, str]:
    return {"key": x_key, "sid": sid, "lang": lang}


@app.post("/fails")
def fails(body: Data) -> None:
    raise RuntimeError("always")


@app.get("/items/{item}")
def read_item(item: int, size: int = 1) -> dict[str, object]:
    return {"item": item, "size": size}


@app.put("/items/{item}")
def write_item(item: int, note: Note, dry: bool = False) -> dict[str, object]:
    return {"item": item, "text": note.text, "stars": note.stars, "dry": dry}


@app.delete("/items/{item}")
def delete_item(item: int) -> dict[str, object]:
    return {"deleted": item}


@app.get("/search")
def search(q: str, limit: int = 3) -> list[str]:
    return [q] * limit


@app.post("/notes")
def notes(notes: list[Note]) -> int:
    return len(notes)


@app.post("/upload")
async def upload(page: UploadFile = File(), title: str = Form(), copies: int = Form(1)) -> dict[str, object]:  # noqa: B008
    return {"name": page.filename, "size": len(await page.read()), "title": title, "copies": copies}


@app.post("/form")
def form(user: str = Form(), age: int = Form(1)) -> dict[str, object]:
    return {"user": user, "age": age}


@app.post("/raw")
async def raw(request: Request) -> dict[str, object]:
    kind = request.headers.get("content-type", "").partition(";")[0]
    return {"size": len(await request.body()), "kind": kind}


@app.get("/picture")
def picture() -> Response:
    return Response(b"\x89PNG-bytes", media_type="image/png")


@app.get("/stream")
async def stream(words: str = "a b c") -> StreamingResponse:
    """The last word is held back until /release is asked."""

    async def events() -> AsyncIterator[str]:
        *first, last = words.split()
        for word in first:
            yield f"data: {json.dumps({'token': word})}\n\n"
        await released.wait()
        released.clear()
        yield f": a comment\n\ndata: {json.dumps({'token': last})}\n\ndata: [DONE]\n\n"

    return StreamingResponse(events(), media_type="text/event-stream")


@app.post("/release")
async def release() -> None:
    released.set()


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
