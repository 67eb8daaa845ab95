"""Access: what one person may see and do. Whatever is asked of the API passes through here.

* `rights`: roles and rights, and the one table that joins them.
* `endpoints`: what can be asked for, and the right that each endpoint wants.
* `matrix`: what follows for everybody everywhere, for ``RIGHTS.md`` and the tests.
* `profiles`: ``profiles.yml``, who is in which team with which role; `reloading`: its present content.
* `scope`: rights on one switchboard, over queues and agents by glob.
* `viewpoint`: one person's scopes, and the answers to "may he?".
* `filtering`: the live state as seen from a scope.
"""
