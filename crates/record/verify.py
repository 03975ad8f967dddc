#!/usr/bin/env python3
"""Checks a record without retrace: verify.py STATE RUN. Names each part that is wrong, as `retrace verify` does; exit 0 if it is whole, else 9."""
import hashlib, json, pathlib, sys; len(sys.argv) == 3 or sys.exit("usage: verify.py STATE RUN")
state, run, bad = pathlib.Path(sys.argv[1]), sys.argv[2], set()
def sha(data): return hashlib.sha256(data).hexdigest()
def read(*path): return state.joinpath(*path).read_bytes() if state.joinpath(*path).is_file() else None
def once(pairs): return dict(pairs) if len(dict(pairs)) == len(pairs) else json.loads("a key twice is no JSON")
def parse(line):
    try: return json.loads(line, object_pairs_hook=once) if line[:1] + line[-1:] == b"{}" else None
    except (ValueError, RecursionError): return None
def check(part, blob, length=None):  # what is kept has the name of its own digest
    if sha((data := read("blobs", blob)) or b"") != blob or length not in (None, len(data)): bad.update({part} if data is not None or blob not in pruned else ())
    return data or b""
seal, pruned = read("runs", run, "seal.json"), (read("runs", run, "pruned") or b"").decode().split()
*raw, torn = (read("runs", run, "journal.ndjson") or b"").split(b"\n")
lines, seal = [parse(line) for line in raw], seal if seal is None else parse(seal.strip()) or {}
fits = [bool(l) and (l.get("seq"), l.get("run"), l.get("prev")) == (n, run, sha(raw[n - 1]) if n else "0" * 64) for n, l in enumerate(lines)]
since = [l["event"] for l in lines[(seal or {}).get("count", 0):] if l]
if seal and since[:1] == ["resumed"] and "run_ended" not in since and sha(raw[seal["count"] - 1]) == seal["head"]: seal = None  # goes on since its seal
if seal is None and False in fits and not any(lines[fits.index(False):]): lines = lines[:fits.index(False)]  # torn while it ran
if not lines or not all(fits[:len(lines)]) or torn and seal or lines[0].get("format") != 1: bad.add("chain")
else:
    first, blobs, ended = lines[0], {}, [l for l in lines if l["event"] in ("run_ended", "resumed")][-1:]
    for l in lines:  # before-images, what programs wrote, what people attached; a tree names files
        changes = [c for c in [l.get("effect") or {}, *(l.get("effect") or {}).get("changes", [])] if "before" in c]
        blobs.update({i["blob"]: (i["resource"] in [c["resource"] for c in changes if c["before"]["is"] == "tree"] and not i.get("sealed"), "blobs", None) for i in l.get("images", [])})
        blobs.update({l["exit"][k]["blob"]: (False, "blobs", None) for k in ("stdout", "stderr") if l["event"] == "applied" and k in (l.get("exit") or {})})
        blobs.update({s["manifest"]: (False, "blobs", None) for s in [o["state"] for o in l.get("observed", [])] if s.get("secret") and s["manifest"]})
        blobs.update({e["blob"]: (False, "evidence", e["length"]) for e in l.get("evidence", {}).values()})
    for tree, text in [(tree, check(part, blob, length)) for blob, (tree, part, length) in blobs.items()]:
        [check("blobs", entry.get("sealed") or entry["sha256"]) for entry in map(parse, text.splitlines() if tree else []) if entry and entry["is"] == "file"]
    expected = {"format": 1, "run": run, "count": len(lines), "head": sha(raw[len(lines) - 1]), "outcome": ended and ended[0].get("outcome"), "files": first["files"],
                "previous": first.get("previous"), "blobs": {"count": len(blobs), "root": sha("".join(b + "\n" for b in sorted(blobs)).encode())}}
    if seal is None and ended and ended[0]["event"] == "run_ended" or seal is not None and any(seal.get(k) != v for k, v in expected.items()): bad.add("seal")
    bad.update("files" for name, digest in first["files"].items() if sha(read("runs", run, *name.split("/")) or b"") != digest)
    if first.get("previous") and read("runs", first["previous"]["run"], "journal.ndjson") is None: bad.add("previous")
    heads, notes = {sha(line) for line in raw}, [n for n in (read("runs", run, "notes.ndjson") or b"").split(b"\n") if n]  # notes: a chain that begins at the journal
    later = [parse((read("runs", r.name, "journal.ndjson") or b"").split(b"\n")[0]) or {} for r in state.joinpath("runs").iterdir()]
    if {l["previous"]["head"] for l in later if (l.get("previous") or {}).get("run") == run} - heads: bad.add("next")
    if any((parse(n) or {}).get("prev") not in ({sha(notes[i - 1])} if i else heads) for i, n in enumerate(notes)): bad.add("notes")
print(" ".join(sorted(bad)) or ("whole" if seal else "open")); sys.exit(0 if seal and not bad else 9)
