/* spec: what one run of the copier is asked to do: the JSON document of an importer Pod.
 *
 *   {"version": 1,
 *    "disk": {"plan": UID, "vm": ID, "id": ID, "name": TEXT, "size": BYTES},
 *    "source": {"type": "https", "generation": TEXT, …},
 *    "changes": {"since": TEXT, "ranges": [[START, BYTES], …]|"source"}?,
 *    "trust": {"ca": PEM?, "fingerprint": TEXT?, "insecure": BOOL?},
 *    "credentials": DIRECTORY?,
 *    "target": {"path": PATH, "overcommit": BOOL?},
 *    "state": DIRECTORY,
 *    "fence": {"uid": TEXT, "generation": N},
 *    "limits": {"memory": BYTES?, "connections": N?, "bytesPerSecond": N?}}
 *
 * What else a source has is said by the reader of its type. credentials holds the files user and password.
 *
 * changes says what was written in the source since the generation "since": in order, apart, whole sectors.
 * Where the target holds that generation, only these ranges are read, written, hashed and verified; where it
 * does not (another generation, no journal, a copy that never ended), what is needed beyond them is read too,
 * so that changes makes a copy shorter and never wrong. A list of more than some 30,000 ranges does not fit:
 * join those that are near each other. "source": the reader asks the source, when it has opened the disk.
 * bytesPerSecond is the limit at the beginning: rate_limit.h.
 *
 * An ESXi host is read by its own user and password, or, where source.ticket = {"url": "https://vc/sdk",
 * "trust": {…}}, with tickets of that vCenter: credentials and source.ticket.trust are vCenter's then, trust
 * is the host's.
 *
 * generation is opaque: it changes whenever the source may have written to the disk. Unknown members are
 * ignored, so that an older copier reads a newer plan's document. Secrets are never part of it. Errors:
 * BAD_INPUT, BAD_JSON; the message says which member, what it is and what would be right.
 */
#pragma once
#include "base/json.h"

typedef struct ExtentList ExtentList;

typedef struct {
    json_t *json; /* owns every text below */

    const char *plan, *vm, *disk_id, *disk_name;
    guint64 size; /* bytes; a multiple of 512 */

    const char *source_type, *generation;
    const json_t *source; /* the reader's own members */

    ExtentList *changes; /* not zero: changed since changes_since; NULL: all of it may have */
    const char *changes_since;
    gboolean source_knows_changes; /* changes is NULL, and the reader's to ask for */

    const char *ca_pem, *fingerprint;
    gboolean insecure;
    const char *credentials; /* NULL: none */

    const char *target, *state;
    gboolean overcommit; /* the target's file system may have less room than the disk */
    const char *fence_uid;
    guint64 fence_generation;

    guint64 memory_limit; /* bytes resident in all */
    guint connections;
    guint64 rate; /* bytes read per second at most, at the beginning; 0: any number */
} CopySpec;

CopySpec *copy_spec_parse(const char *text, gsize size, GError **error);
CopySpec *copy_spec_read(const char *path, GError **error);
void copy_spec_free(CopySpec *spec);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CopySpec, copy_spec_free)

/* A text member of the reader's own; most says how long it may be. NULL with BAD_INPUT when it is missing or
 * wrong. */
const char *copy_spec_source_text(const CopySpec *spec, const char *member, gsize most, GError **error);

/* A path in the state directory that belongs to this disk: "/state/2000.journal". */
char *copy_spec_state_path(const CopySpec *spec, const char *suffix);
