#pragma once

/*
 * Changes to the text of a main.cf. Pure: text in, text out.
 *
 * A setting is replaced where it stands (wherever, when it is there several times), and a new one
 * comes to the end. Comments and empty lines stay, also those in the middle of a setting.
 */

#include "common/base/buf.h"

typedef enum EditAction {
        EDIT_SET,     /* "name = value" */
        EDIT_COMMENT, /* a '#' in front of its lines */
        EDIT_REMOVE   /* its lines go */
} EditAction;

typedef struct Edit {
        Str name;
        Str value; /* of EDIT_SET; one line */
        EditAction action;
        bool is_met; /* set by edit_text(): there is such a setting */
} Edit;

/* One word of the command line: "name=value" for EDIT_SET, else a name. */
enum {
        EDIT_E_WORD = 1
};

/* 0, or EDIT_E_WORD and a static text in *RET_REASON. RET points into WORD. */
int edit_parse_word(EditAction action, Str word, Edit *ret, const char **ret_reason);

/*
 * Append TEXT, edited, to RET. Of several edits of one name the last one counts.
 * 0, BUF_E_FULL or -ENOMEM.
 */
int edit_text(Str text, Edit *edits, size_t n, Buf *ret);
