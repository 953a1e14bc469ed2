#pragma once

/*
 * How code that asks tables is written once, for workers that wait and for loops that must not.
 *
 * The code is straight-line: it asks, and gets FOUND, NOT_FOUND or ERROR. In a loop it may get
 * TABLE_WAIT as well: the answer is on its way (from proxymap). Then it gives up at once and
 * reports the same to its caller, up to the one who made the TableAnswers. That one does the work
 * again from its beginning when READY is called; what was answered before is remembered here, so
 * that the work comes one question further. Work that is done over so must have no effect before
 * its last question; tables that answer by themselves are asked again each time.
 */

#include "common/mail/table.h"

/* Questions that one piece of work may ask of tables that are waited for, and their answers' bytes.
 * Beyond that it is TABLE_ERROR. */
#define TABLE_ANSWERS_MAX       1000
#define TABLE_ANSWERS_BYTES_MAX ((size_t)4 * 1024 * 1024)

typedef struct TableAnswers TableAnswers;

/* READY is never called from inside of table_ask(). 0, -ENOMEM. */
int table_answers_new(void (*ready)(void *userdata), void *userdata, TableAnswers **ret);

/* Answers that are still on their way are dropped when they come. */
TableAnswers *table_answers_free(TableAnswers *answers);
DEFINE_CLEANUP(TableAnswers, table_answers_free)

/* Forget all answers: the next work, or the same with other tables. READY will not be called for
 * what was asked before. */
void table_answers_reset(TableAnswers *answers);

/* One question of one or several tables. */
typedef struct TableQuestion {
        Str key;
        bool is_partial; /* made from a part of what is searched: not for tables of patterns, which
                          * see the whole (table_is_pattern()) */
        TableAnswers *answers; /* NULL: wait for each answer, in workers and tools */
} TableQuestion;

/*
 * Ask TABLE. The value, or the text of an error, is appended to RET. TABLE_WAIT only where QUESTION
 * has answers.
 */
TableResult table_ask(Table *table, const TableQuestion *question, Buf *ret);
