"""Drives the product's TAXII server with taxii2-client and stix2, which others have made.

Usage: client.py URL NAME TOKEN SIGNED_COLLECTION OPEN_COLLECTION KEY
"""

import base64
import json
import sys

import requests
import stix2
from taxii2client.v21 import Collection, Server, Status, as_pages

import ed25519

SIGNATURE = "extension-definition--6599f7df-8c25-49ba-98d5-4a817a5cde2e"
URL, NAME, TOKEN, SIGNED, OPEN, KEY = sys.argv[1:]


def check(condition, what):
    if not condition:
        sys.exit(f"FAILED: {what}")
    print(f"ok: {what}")


def base64url(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def discover():
    server = Server(f"{URL}/taxii2/", user=NAME, password=TOKEN)
    check(server.title and len(server.api_roots) == 1, "discovery")
    root = server.api_roots[0]
    check(root.title and "application/taxii+json;version=2.1" in root.versions, "root")
    check(root.max_content_length > 0, "the bound of a body")
    collections = {c.id: c for c in root.collections}
    check(set(collections) == {SIGNED, OPEN}, "only the collections that the peer may see")
    check(all(c.can_read and c.can_write for c in collections.values()), "rights")
    return root, collections


def read_signed(collection):
    """What the server's chain has signed is valid STIX, and its signature holds for others too."""
    objects = collection.get_objects(type="indicator")["objects"]
    check(len(objects) == 1, "one signed indicator")
    indicator = stix2.parse(objects[0], allow_custom=True)
    check("x-evm-account" in indicator.pattern, "stix2 reads the indicator and its pattern")
    content = json.loads(json.dumps(objects[0]))
    jws = content["extensions"].pop(SIGNATURE)["jws"]
    if not content["extensions"]:
        del content["extensions"]
    header, empty, signature = jws.split(".")
    check(empty == "", "the signature is detached")
    said = json.loads(base64url(header))
    check(said["alg"] == "EdDSA" and said["kid"] == content["created_by_ref"], "its header")
    # For plain text and whole numbers this is the canonical form of RFC 8785.
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    payload = base64.urlsafe_b64encode(canonical.encode()).rstrip(b"=")
    message = header.encode() + b"." + payload
    check(ed25519.holds(bytes.fromhex(KEY), message, base64url(signature)), "the signature holds")
    check(not ed25519.holds(bytes.fromhex(KEY), message + b"A", base64url(signature)), "and it can fail")
    for object in collection.get_objects()["objects"]:
        stix2.parse(object, allow_custom=True)


def make():
    maker = stix2.Identity(name="Chain in Python", identity_class="organization")
    address = "0x" + "ab" * 20
    account = stix2.Indicator(
        created_by_ref=maker.id,
        pattern=f"[x-evm-account:address = '{address}' AND x-evm-account:chain_id = 1]",
        pattern_type="stix",
        valid_from="2026-01-01T00:00:00Z",
    )
    wallet = stix2.Indicator(
        created_by_ref=maker.id,
        pattern=f"[cryptocurrency-wallet:value = '{address}']",
        pattern_type="stix",
        valid_from="2026-01-01T00:00:00Z",
    )
    sighting = stix2.Sighting(sighting_of_ref=account.id, count=2)
    return [json.loads(o.serialize()) for o in (maker, account, wallet, sighting)], account


def add(root, collection):
    objects, account = make()
    status = collection.add_objects({"objects": objects})
    check(status.status == "complete" and status.success_count == 4, "four objects are added")
    again = Status(f"{root.url}status/{status.id}/", user=NAME, password=TOKEN)
    check(again.total_count == 4 and len(again.successes) == 4, "the status is kept")
    once_more = collection.add_objects({"objects": objects})
    check(once_more.success_count == 4, "what is known is no error")
    return objects, account


def read(collection, objects, account):
    everything = collection.get_objects()
    check(len(everything["objects"]) == 4, "all objects")
    check(everything["objects"] == objects, "objects come back as they were, in order")
    indicators = collection.get_objects(type="indicator")["objects"]
    check(len(indicators) == 2, "objects of a kind")
    one = collection.get_object(account.id)["objects"]
    check([o["id"] for o in one] == [account.id], "one object")
    chosen = collection.get_objects(id=[objects[0]["id"], objects[3]["id"]])["objects"]
    check(len(chosen) == 2, "objects by identifiers")
    pages = list(as_pages(collection.get_objects, per_request=2))
    check([len(p["objects"]) for p in pages] == [2, 2], "pages of objects")
    manifests = list(as_pages(collection.get_manifest, per_request=3))
    records = [record for page in manifests for record in page["objects"]]
    check([r["id"] for r in records] == [o["id"] for o in objects], "pages of the manifest")
    later = collection.get_objects(added_after=records[1]["date_added"])["objects"]
    check(later == objects[2:], "what was added after a time")
    none = collection.get_objects(added_after=records[3]["date_added"])
    check(none.get("objects", []) == [], "nothing was added after the last")
    check(collection.get_objects(spec_version="2.0").get("objects", []) == [], "no STIX 2.0")
    answer = requests.get(
        f"{collection.url}objects/?limit=2",
        auth=(NAME, TOKEN),
        headers={"Accept": "application/taxii+json;version=2.1"},
        timeout=10,
    )
    first, last = answer.headers["X-TAXII-Date-Added-First"], answer.headers["X-TAXII-Date-Added-Last"]
    check((first, last) == (records[0]["date_added"], records[1]["date_added"]), "the headers of a page")


def version(collection, account):
    revoked = json.loads(account.revoke().serialize())
    check(collection.add_objects({"objects": [revoked]}).success_count == 1, "a new version is added")
    last = collection.get_object(account.id)["objects"]
    check(len(last) == 1 and last[0]["revoked"] is True, "the newest version is given")
    both = collection.get_object(account.id, version="all")["objects"]
    check(len(both) == 2, "all versions")
    first = collection.get_object(account.id, version="first")["objects"]
    check("revoked" not in first[0], "the first version")
    versions = collection.object_versions(account.id)["versions"]
    check(versions == [revoked["modified"], json.loads(account.serialize())["modified"]], "versions, newest first")
    exact = collection.get_object(account.id, version=versions[1])["objects"]
    check(len(exact) == 1 and "revoked" not in exact[0], "one version")
    collection.delete_object(account.id)
    check(len(collection.get_objects(version="all")["objects"]) == 3, "a deleted object is gone with all versions")


def refuse(signed):
    objects, _ = make()
    status = signed.add_objects({"objects": objects})
    check(status.failure_count == 4 and status.success_count == 0, "unsigned objects are refused")
    check("no signature" in status.failures[0]["message"], "and it is said why")
    for token, accept, expected in [
        ("wrong" + TOKEN, "application/taxii+json;version=2.1", 401),
        (TOKEN, "application/json", 406),
        (TOKEN, "application/taxii+json;version=2.0", 406),
    ]:
        answer = requests.get(f"{URL}/taxii2/", auth=(NAME, token), headers={"Accept": accept}, timeout=10)
        check(answer.status_code == expected, f"{expected} where it is due")


def main():
    root, collections = discover()
    check(Collection(f"{root.url}collections/{OPEN}/", user=NAME, password=TOKEN).id == OPEN, "a collection")
    read_signed(collections[SIGNED])
    objects, account = add(root, collections[OPEN])
    read(collections[OPEN], objects, account)
    version(collections[OPEN], account)
    refuse(collections[SIGNED])


main()
