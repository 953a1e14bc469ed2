#pragma once

/*
 * The content of a table, held in memory as a whole: of a source, kept current, or of a text in
 * the configuration. For texthash:, cidr:, regexp: and pcre:, whose table->data it is.
 *
 * A source is read at the first lookup, and again when it changed and then stayed as it is for a
 * second, so that nobody sees the half that an editor has written so far. A process that may wait
 * (it has an indexer) waits for that second, another one answers from the old content meanwhile.
 *
 *   source                 what a lookup is answered from
 *   as it was read         the content
 *   another, well-formed   the new content
 *   malformed, unreadable  the old content, said once to TableIndexer.kept(); without one an error
 *   gone                   an error, or an empty source (table_allow_missing())
 */

#include "common/base/buf.h"
#include "common/mail/table-type.h"

typedef struct TableContentType {
        bool may_be_inline; /* its name may be "{ {line}, {line} ... }" in the place of a path */
        /* Make the content of TEXT. 0; TABLE_E_SYNTAX, ERROR says which line and why; -ENOMEM. */
        int (*parse)(Str text, void **ret, Buf *error);
        void (*free)(void *content);
} TableContentType;

/*
 * For open() of a type: sets table->data. 0, -ENOMEM, TABLE_E_SYNTAX: NAME is no absolute path, or
 * a text in the configuration that is malformed; *RET_REASON is valid until the next call then.
 */
int table_content_open(Table *table, Str name, const TableContentType *type,
                       const char **ret_reason);

/*
 * What to answer from, after a look at the source where one is due; says to the table whose it is.
 * It is valid until the next call, which a reply may cause. NULL: table_content_reply_error().
 */
void *table_content_get(Table *table);
const char *table_content_error(const Table *table);
void table_content_reply_error(const Table *table, TableReply reply, void *userdata);

/* close() of a type. */
void table_content_close(Table *table);
