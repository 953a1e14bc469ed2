/*
 * Goes through the lines as config-parse.c does, but keeps their text: what is a comment, what
 * begins a setting and what continues one must be the same there and here.
 */

#include "tools/postconf/edit.h"

#include "common/role/config-parse.h"

static bool is_name(Str name) {
        for (size_t i = 0; i < name.len; i++)
                if (ascii_is_space(name.data[i]) || ascii_is_control(name.data[i]) ||
                    name.data[i] == '=')
                        return false;
        return !str_is_empty(name) && name.data[0] != '#';
}

int edit_parse_word(EditAction action, Str word, Edit *ret, const char **ret_reason) {
        *ret = (Edit){ .action = action, .name = word };
        *ret_reason = NULL;
        if (str_contains(word, '\n'))
                *ret_reason = "more than one line";
        else if (action == EDIT_SET)
                (void)config_parse_setting(word, &ret->name, &ret->value, ret_reason);
        if (!*ret_reason && !is_name(ret->name))
                *ret_reason = "not the name of a parameter";
        return *ret_reason ? EDIT_E_WORD : 0;
}

static Edit *find(Edit *edits, size_t n, Str name) {
        while (n > 0)
                if (str_equal(edits[--n].name, name))
                        return &edits[n];
        return NULL;
}

static void append_setting(const Edit *edit, Buf *ret) {
        (void)buf_append_str(ret, edit->name);
        (void)buf_append_cstr(ret, str_is_empty(edit->value) ? " =" : " = ");
        (void)buf_append_str(ret, edit->value);
        (void)buf_append_char(ret, '\n');
}

/* LINE, which belongs to the setting that EDIT is about; the first of it, or one that continues. */
static void edit_line(const Edit *edit, Str line, bool is_first, Buf *ret) {
        if (edit->action == EDIT_SET && is_first)
                append_setting(edit, ret);
        if (edit->action == EDIT_COMMENT) {
                (void)buf_append_char(ret, '#');
                (void)buf_append_str(ret, line);
                (void)buf_append_char(ret, '\n');
        }
}

int edit_text(Str text, Edit *edits, size_t n, Buf *ret) {
        Edit *edit = NULL; /* of the setting that the lines are in */
        bool in_setting = false;
        Str line;

        while (!str_is_empty(text)) {
                bool is_other;
                bool is_first;

                line = str_first(text, str_find(text, '\n'));
                text = str_skip(text, line.len + 1);
                is_other = config_parse_is_comment(line);
                is_first = !is_other && !(in_setting && ascii_is_space(line.data[0]));
                if (is_first) {
                        edit = find(edits, n, config_parse_name(line));
                        in_setting = true;
                }
                if (edit && !is_other) {
                        edit_line(edit, line, is_first, ret);
                        edit->is_met = true;
                } else {
                        (void)buf_append_str(ret, line);
                        (void)buf_append_char(ret, '\n');
                }
        }
        for (size_t i = 0; i < n; i++)
                if (edits[i].action == EDIT_SET && !edits[i].is_met &&
                    find(edits, n, edits[i].name) == &edits[i])
                        append_setting(&edits[i], ret);
        return ret->error;
}
