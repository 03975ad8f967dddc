#!/usr/bin/env python3
"""Verifies a record without retrace: verify.py STATE RUN. Prints one word for each thing that is wrong; exit 0 if it is whole."""
import hashlib, json, os, sys

def read(*path):
    if any(part in ("", "..") or os.sep in part for part in path): return None
    try:
        with open(os.path.join(state, *path), "rb") as file: return file.read()
    except FileNotFoundError: return None
def sha(data): return hashlib.sha256(data).hexdigest()
def parse(raw):
    def unique(pairs): return twice.append(1) if len(dict(pairs)) < len(pairs) else None, dict(pairs)
    twice = []
    try:
        line = json.loads(raw, object_pairs_hook=lambda pairs: unique(pairs)[1])
        return {**line, "seq": line["seq"] + 0, "run": line["run"] + "", "prev": line["prev"] + "", "event": line["event"] + "", "twice": twice}
    except (ValueError, KeyError, TypeError, RecursionError): return None
def chain(lines, parsed, seal):
    head, of = "0" * 64, run
    for n, (raw, line) in enumerate(zip(lines, parsed)):
        end, after = seal and n + 1 == len(lines) == seal["count"], parsed[n + 1:n + 2]
        said = seal["head"] if end else after[0]["prev"] if after and after[0] else None
        contradicted, altered = said and said != sha(raw), "head-differs" if end else f"line-altered {n}"
        if raw[-1:] == b"\r" or raw[:3] == b"\xef\xbb\xbf": return "line-endings-changed"
        if not line: return altered if seal or any(parsed[n + 1:]) else "open"
        if n == 0 and line["event"] == "run_started" and line.get("format") != 1: return "format-unsupported"
        if line["twice"]: return f"line-ambiguous {n}"
        if line["seq"] == n and line["prev"] != head: return altered if contradicted or n == 0 else f"line-altered {n - 1}"
        if line["seq"] != n and line["prev"] == head: return altered
        if line["seq"] < n: return f"line-repeated {line['seq']}"
        if line["seq"] > n: return f"order-changed {n} {line['seq']}" if any(p and p["seq"] == n for p in parsed[n + 1:]) else f"line-missing {n}"
        if line["run"] != of: return altered if contradicted else f"foreign-line {n}" if n else "run-differs"
        head = sha(raw)
def sealed(seal, heads, ended, first, blobs):
    if seal is None: return "not-sealed" if ended else "open"
    try: count, head, root = seal["count"], seal["head"], seal["blobs"]["root"]
    except (KeyError, TypeError): return "seal-differs"
    if seal["format"] != 1: return "format-unsupported"
    if seal["run"] != run: return "seal-of-other-run"
    if len(heads) < count: return "seal-differs" if heads[-1] == head else "shorter-than-sealed"
    if len(heads) > count: return "longer-than-sealed" if heads[count - 1] == head else "seal-differs"
    if heads[-1] != head: return "head-differs"
    same = root == sha("".join(b + "\n" for b in sorted(blobs)).encode()) and seal["blobs"]["count"] == len(blobs)
    return None if same and ended and all(seal.get(k) == v for k, v in [("outcome", ended[0]["outcome"]), ("files", first["files"]), ("previous", first.get("previous"))]) else "seal-differs"
def check(kind, name, blob, length=None, pruned=()):
    data = read("blobs", blob)
    if data is None: return None if blob in pruned else bad.append(f"{kind}-missing {name}")
    if sha(data) != blob or length not in (None, len(data)): bad.append(f"{kind}-altered {name}")
    return data
def verify():
    others = [parse(next(iter((read("runs", r, "journal.ndjson") or b"").split(b"\n")))) for r in sorted(os.listdir(os.path.join(state, "runs"))) if r != run]
    seen = [o["previous"]["head"] for o in others if o and o.get("previous", {}).get("run") == run]
    data, raw = read("runs", run, "journal.ndjson"), read("runs", run, "seal.json")
    if data is None: return bad.append(f"run-missing {run}")
    try: seal = None if raw is None else json.loads(raw)
    except ValueError: seal = {}
    own = seal if seal and seal.get("run") == run and seal.get("format") == 1 else None
    *lines, rest = data.split(b"\n")
    parsed = [parse(line) for line in lines]
    later = [p["event"] for p in parsed[own["count"]:] if p] if own else []
    if later[:1] == ["resumed"] and "run_ended" not in later and sha(lines[own["count"] - 1]) == own["head"]: own = seal = None
    fault = chain(lines, parsed, own) or (rest and own and "torn-after-seal") or (not data and "empty")
    parsed = parsed[:parsed.index(None)] if fault == "open" else parsed
    if fault and fault != "open" or not parsed: return bad.append(fault or "open")
    first, kept, below, evidence = parsed[0], {}, set(), []
    for line in parsed:
        effect = line.get("effect", {})
        trees = [c["resource"] for c in ([effect] if effect.get("effect") == "set" else effect.get("changes", [])) if c["before"]["is"] == "tree"]
        for image in line.get("images", []): kept[image["blob"]] = kept.get(image["blob"]) or image["resource"] in trees and not image.get("sealed")
        for output in ("stdout", "stderr"):
            if output in (line.get("exit") or {} if line["event"] == "applied" else {}): kept.setdefault(line["exit"][output]["blob"], False)
        evidence += [(name, e["blob"], e["length"]) for name, e in sorted(line.get("evidence", {}).items())]
    ended = [p for p in [p for p in parsed if p["event"] in ("run_ended", "resumed")][-1:] if p["event"] == "run_ended"]
    word = sealed(seal, [sha(line) for line in lines[:len(parsed)]], ended, first, {*kept, *(e[1] for e in evidence)})
    if word: bad.append(word)
    for name, digest in sorted(first["files"].items()):
        found, (what, more) = read("runs", run, *name.split("/")), {"plan.json": ("plan", ""), "runbook.yaml": ("runbook", ""), "client.yaml": ("client", "")}.get(name, ("file", " " + name))
        if found is None or sha(found) != digest: bad.append(f"{what}-{'missing' if found is None else 'differs'}{more}")
    pruned = (read("runs", run, "pruned") or b"").decode().split()
    for blob, tree in sorted(kept.items()):
        listing = check("blob", blob, blob, pruned=pruned)
        below |= {e["sha256"] for e in map(json.loads, (listing or b"").splitlines()) if e["is"] == "file"} if tree and listing and sha(listing) == blob else set()
    for blob in sorted(below - set(kept)): check("blob", blob, blob, pruned=pruned)
    for name, blob, length in evidence: check("evidence", name, blob, length)
    before = (first.get("previous") or {}).get("run")
    if before and read("runs", before, "journal.ndjson") is None: bad.append(f"run-missing {before}")
    if any(head not in [sha(line) for line in lines] for head in seen): bad.append("register-behind")

state, run, bad = sys.argv[1], sys.argv[2], []
verify()
bad = [word for word in bad if word != "open"] or bad
print("\n".join(bad) or "whole")
sys.exit(9 if bad else 0)
