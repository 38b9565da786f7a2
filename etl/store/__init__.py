"""Files at any place that fsspec reaches: a folder, a mounted disk, memory, S3 and what speaks it.

`open_place(url)` gives a `Place`; whatever is written there appears whole or not at all:

    place = open_place("s3://bucket/radops/raw", endpoint)     # or /srv/raw, file:///srv/raw, memory://raw
    place.put("exam/batch=7/part-0.parquet", local_path)       # or: with place.writing(name) as file: ...
    place.names("exam/")                                       # what is there, never what is being written
    with place.reading(name) as file: ...                      # also: place.read(name) -> bytes, or None
    pyarrow.parquet.read_table(place.path(name), filesystem=place.fs)

What belongs together (the files of a batch, a snapshot) is written first and a manifest naming it last, so a reader
that goes by manifests never sees half of it: `place.write(name, data, is_new=True)` refuses where the name is taken
(FileExistsError), `place.swap(name, data, place.seen(name))` where another writer was faster (StoreError).
`etl.store.shelf` keeps snapshots that way.
Keys and secrets come from the environment or the files that the kind of store itself reads (`AWS_ACCESS_KEY_ID`,
`AWS_PROFILE`, ...), never from a URL or a setting of radops. Engines of other makes (Spark) get `place.url_of(name)`;
on executors call `open_place(url, endpoint)` again instead of sending a `Place` along.
"""

from etl.store.place import Place, Seen, open_place

__all__ = ["Place", "Seen", "open_place"]
