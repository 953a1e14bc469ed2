/*
 * tdb:/path (and hash:, btree: ...): looks up in the index of a source, which table-index.c makes
 * and replaces by rename. Whoever reads has the old file or the new one, so no locks.
 *
 * With an indexer the source is followed: when it is not as the index says that it was, the
 * indexer is asked, and waited for, before the lookup is answered. What the last look said counts
 * until something changes, so that a lookup costs no system call (table-follow.h); where nobody
 * watches it counts for a moment that is chosen so that an edit that a mail came 10 ms after is
 * seen by this mail:
 *
 *   source                         what a lookup does
 *   as its index                   answers
 *   another                        asks the indexer; answers, from the old index if it must
 *   away for a second              fails, or is an empty table (table_allow_missing())
 *   cannot be looked at from here  asks the indexer once a second
 *
 * An indexer that could not is asked again when the source changes, else after a pause.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/mail/table-file.h"
#include "common/mail/table-follow.h"
#include "common/mail/table-index.h"
#include "common/mail/table-tdb-index.h"

/* How long the indexer is left alone while nothing changes: after it said no, and yes. */
#define KEPT_PAUSE_USEC  (10 * USEC_PER_SEC)
#define ASKED_PAUSE_USEC USEC_PER_SEC

#define REASON_MAX_BYTES 256

typedef struct Tdb {
        TdbIndex *index;
        TableFollow index_follow;
        TableFollow source_follow;
        bool is_gone; /* the source */

        /* The indexer was asked, and left the source in this state. */
        TableStamp asked;
        usec_t ask_again_usec;
        bool was_busy; /* it gave up on a source that was still being written */

        char reason[REASON_MAX_BYTES]; /* why it could not; empty: it could */
        TableStamp warned;             /* TableIndexer.kept() was told of this state ... */
        char warned_reason[REASON_MAX_BYTES];
} Tdb;

static int tdb_type_open(Table *table, Str name, const char **ret_reason) {
        _cleanup_(buf_deinit) Buf path = BUF_INIT(2 * TABLE_KEY_MAX);
        const char *text = NULL;
        Tdb *tdb;

        if (name.data[0] != '/') {
                *ret_reason = "not an absolute path";
                return TABLE_E_SYNTAX;
        }
        if (table_index_path(table->index_dir, name, &path) == 0)
                text = buf_cstr(&path);
        if (!text) {
                *ret_reason = "path too long";
                return TABLE_E_SYNTAX;
        }
        tdb = calloc(1, sizeof(*tdb));
        if (!tdb)
                return -ENOMEM;
        tdb->index = tdb_index_get(text);
        if (!tdb->index) {
                free(tdb);
                return -ENOMEM;
        }
        table->data = tdb;
        return 0;
}

/* May the indexer be asked about a source that is in this state (NULL: nobody knows which)? */
static bool may_ask(const Tdb *tdb, const TableStamp *stamp) {
        if (clock_monotonic_usec() >= tdb->ask_again_usec)
                return true;
        return stamp && !table_stamp_equal(stamp, &tdb->asked) &&
               (!tdb->was_busy || table_stamp_is_quiet(stamp));
}

/* Say once for each state of the source, and each reason, that the old index goes on being used. */
static void warn(const Table *table, Tdb *tdb) {
        const TableIndexer *indexer = table->context.indexer;

        if (!indexer->kept || !tdb_index_is_open(tdb->index) ||
            (table_stamp_equal(&tdb->warned, &tdb->asked) &&
             strcmp(tdb->warned_reason, tdb->reason) == 0))
                return;
        tdb->warned = tdb->asked;
        (void)snprintf(tdb->warned_reason, sizeof(tdb->warned_reason), "%s", tdb->reason);
        indexer->kept(indexer->context, table_spec(table), str_from_cstr(tdb->reason));
}

static void ask(const Table *table, Tdb *tdb) {
        const TableIndexer *indexer = table->context.indexer;
        Buf reason = BUF_INIT(REASON_MAX_BYTES - 1);
        bool is_kept = indexer->refresh(indexer->context, table->name, table->context.syntax,
                                        &reason) != 0;
        bool is_known;
        struct stat st;

        (void)snprintf(tdb->reason, sizeof(tdb->reason), "%.*s",
                       STR_FMT(is_kept ? buf_str(&reason) : STR_NULL));
        buf_deinit(&reason);
        tdb_index_look(tdb->index, table->name);
        is_known = table_file_stat(table->name.data, NULL, &st) == 0;
        tdb->asked = is_known ? table_stamp(&st) : (TableStamp){ 0 };
        tdb->was_busy = is_kept && is_known && !table_stamp_is_quiet(&tdb->asked);
        tdb->ask_again_usec =
                usec_add(clock_monotonic_usec(), is_kept ? KEPT_PAUSE_USEC : ASKED_PAUSE_USEC);
        if (is_kept)
                warn(table, tdb);
}

static bool is_current(const Tdb *tdb, const TableStamp *stamp) {
        return tdb_index_is_open(tdb->index) &&
               table_stamp_equal(stamp, &tdb_index_about(tdb->index)->stamp);
}

/* Entries were only ever added to it by hand (postmap -i); then no source is missed. */
static bool is_without_source(const Tdb *tdb) {
        return tdb_index_is_open(tdb->index) &&
               table_about_is_without_source(tdb_index_about(tdb->index));
}

/* The index is of the source as it is. */
static void note_current(Tdb *tdb) {
        tdb->reason[0] = '\0';
        tdb->was_busy = false;
}

static void follow_source(const Table *table, Tdb *tdb) {
        TableStamp stamp;
        struct stat st;
        int r = table_file_stat(table->name.data, NULL, &st);

        /* An editor may be moving a new file into its place. */
        if (r == -ENOENT && tdb_index_is_open(tdb->index) && !is_without_source(tdb))
                r = table_file_wait(table->name.data, NULL, TABLE_WAIT_USEC, &st);
        tdb->is_gone = r == -ENOENT && !is_without_source(tdb);
        if (tdb->is_gone) {
                tdb->reason[0] = '\0';
                tdb->index_follow = (TableFollow){ 0 };
                tdb_index_fail(tdb->index, strerror(ENOENT));
                return;
        }
        if (r == -ENOENT)
                return;
        if (r == 0)
                stamp = table_stamp(&st);
        if (r == 0 && is_current(tdb, &stamp)) {
                note_current(tdb);
                return;
        }
        if (!may_ask(tdb, r == 0 ? &stamp : NULL))
                return;
        tdb_index_look(tdb->index, table->name); /* somebody else may have asked */
        if (r == 0 && is_current(tdb, &stamp))
                note_current(tdb);
        else
                ask(table, tdb);
}

/* Is there nothing to do until something changes, or a pause is over? */
static bool is_settled(const Tdb *tdb) {
        return tdb->is_gone ||
               (!tdb->was_busy && (tdb_index_is_open(tdb->index) || tdb->reason[0]));
}

static void refresh(const Table *table, Tdb *tdb) {
        const TableContext *context = &table->context;
        usec_t now = clock_monotonic_usec();

        if (table_follow_is_due(&tdb->index_follow, context, now, true) && !tdb->is_gone) {
                table_follow_begin(&tdb->index_follow, context, tdb_index_path(tdb->index));
                tdb_index_look(tdb->index, table->name);
                table_follow_end(&tdb->index_follow, TABLE_CHECK_USEC, true);
        }
        if (context->indexer && table_follow_is_due(&tdb->source_follow, context, now, false)) {
                table_follow_begin(&tdb->source_follow, context, table->name);
                follow_source(table, tdb);
                table_follow_end(&tdb->source_follow, TABLE_SOURCE_CHECK_USEC, is_settled(tdb));
        }
}

/* No index, and no source that it could be made from. */
static bool is_missing(const Table *table, const Tdb *tdb) {
        struct stat st;

        if (table->context.indexer)
                return tdb->is_gone;
        return tdb_index_is_absent(tdb->index) && stat(table->name.data, &st) < 0 &&
               errno == ENOENT;
}

/* Look in the open index. One that turns out to be damaged is closed. */
static TableResult fetch(Table *table, Tdb *tdb, Str key, Buf *value) {
        TableResult result = tdb_index_fetch(tdb->index, key, value);

        if (result != TABLE_ERROR) {
                table_set_owner(table, tdb_index_owner(tdb->index));
                return result;
        }
        tdb->reason[0] = '\0';
        tdb->index_follow = tdb->source_follow = (TableFollow){ 0 };
        tdb_index_fail(tdb->index, "damaged index");
        buf_reset(value);
        return result;
}

/* Answer from the index; one that was damaged under us may have been made anew by then. */
static TableResult fetch_or_mend(Table *table, Tdb *tdb, Str key, Buf *value) {
        TableResult result = fetch(table, tdb, key, value);

        if (result != TABLE_ERROR || !table->context.indexer)
                return result;
        refresh(table, tdb);
        return tdb_index_is_open(tdb->index) ? fetch(table, tdb, key, value) : TABLE_ERROR;
}

static void reply_failure(const Table *table, const Tdb *tdb, TableReply reply, void *userdata) {
        table_reply_error(reply, userdata, "%s: %s", table->spec,
                          tdb->reason[0] ? tdb->reason : tdb_index_error(tdb->index));
}

static int tdb_type_lookup(Table *table, Str key, TableReply reply, void *userdata) {
        Tdb *tdb = table->data;
        Buf value = BUF_INIT(TABLE_VALUE_MAX);
        TableResult result = TABLE_ERROR;

        refresh(table, tdb);
        if (tdb_index_is_open(tdb->index))
                result = fetch_or_mend(table, tdb, key, &value);
        else if (table->missing_is_empty && is_missing(table, tdb))
                result = TABLE_NOT_FOUND;
        /* Only now, when nothing of the index is in use: the reply may ask this table again. */
        if (result == TABLE_ERROR)
                reply_failure(table, tdb, reply, userdata);
        else
                reply(userdata, result, buf_str(&value));
        buf_deinit(&value);
        return 0;
}

static bool tdb_type_each(Table *table, TableEntry entry, void *userdata, Buf *error) {
        Tdb *tdb = table->data;
        const char *reason = tdb->reason;

        refresh(table, tdb);
        if (tdb_index_is_open(tdb->index)) {
                if (tdb_index_each(tdb->index, entry, userdata))
                        return true;
                reason = "damaged index";
        } else if (!reason[0])
                reason = tdb_index_error(tdb->index);
        (void)buf_append_clipped(error, str_from_cstr(reason));
        return false;
}

static void tdb_type_close(Table *table) {
        Tdb *tdb = table->data;

        tdb_index_release(tdb->index);
        free(tdb);
}

const TableType table_type_tdb = {
        .name = "tdb",
        .has_source = true,
        .open = tdb_type_open,
        .lookup = tdb_type_lookup,
        .each = tdb_type_each,
        .close = tdb_type_close,
};
