/*
 * postconf's edits of a main.cf: the first byte says which, the first line has the words, the rest
 * is the file. After an edit the settings are those of the file before, but for the edited names.
 */

#include <stdint.h>
#include <stdlib.h>

#include "common/role/config-parse.h"
#include "tools/postconf/edit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define EDITS_MAX 8

static bool is_edited(const Edit *edits, size_t n, Str name) {
        for (size_t i = 0; i < n; i++)
                if (str_equal(edits[i].name, name))
                        return true;
        return false;
}

/* All settings of TEXT that are not edited, and all errors, in their order. */
static void describe(Str text, const Edit *edits, size_t n, Buf *ret) {
        ConfigParser parser;
        ConfigLine line;
        int r;

        config_parser_init(&parser, text);
        while ((r = config_parser_next(&parser, &line)) != CONFIG_PARSE_E_END) {
                if (is_edited(edits, n, line.name))
                        continue;
                (void)buf_printf(ret, "%d ", r);
                (void)buf_append_str(ret, line.name);
                (void)buf_append_char(ret, '=');
                (void)buf_append_str(ret, line.value);
                (void)buf_append_char(ret, '\n');
        }
        config_parser_deinit(&parser);
}

/* How often NAME is set, and whether to VALUE each time. */
static size_t count(Str text, Str name, Str value, bool *ret_all_so) {
        ConfigParser parser;
        ConfigLine line;
        size_t n = 0;
        int r;

        *ret_all_so = true;
        config_parser_init(&parser, text);
        while ((r = config_parser_next(&parser, &line)) != CONFIG_PARSE_E_END) {
                if (!str_equal(line.name, name))
                        continue;
                n++;
                if (r != 0 || !str_equal(line.value, value))
                        *ret_all_so = false;
        }
        config_parser_deinit(&parser);
        return n;
}

static void check_edit(const Edit *edit, Str after) {
        bool all_so;
        size_t n = count(after, edit->name, edit->value, &all_so);

        if (edit->action == EDIT_SET ? n == 0 || !all_so : n > 0)
                abort();
}

static size_t parse_words(EditAction action, Str words, Edit *edits) {
        size_t n = 0;
        const char *reason;
        Str word;

        while (n < EDITS_MAX && str_next_part(&words, '\r', &word))
                if (edit_parse_word(action, word, &edits[n], &reason) == 0 &&
                    !is_edited(edits, n, edits[n].name))
                        n++;
        return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(buf_deinit) Buf after = BUF_INIT(CONFIG_FILE_MAX_BYTES);
        _cleanup_(buf_deinit) Buf was = BUF_INIT(4 * CONFIG_FILE_MAX_BYTES);
        _cleanup_(buf_deinit) Buf is = BUF_INIT(4 * CONFIG_FILE_MAX_BYTES);
        Str text = str_from((const char *)data, size);
        Edit edits[EDITS_MAX];
        Str words;
        size_t n;

        if (size < 2 || size > 64 * 1024)
                return 0;
        words = str_skip(str_first(text, str_find(text, '\n')), 1);
        n = parse_words((EditAction)(data[0] % 3), words, edits);
        text = str_skip(text, words.len + 2);
        if (edit_text(text, edits, n, &after) != 0)
                abort();
        describe(text, edits, n, &was);
        describe(buf_str(&after), edits, n, &is);
        if (!str_equal(buf_str(&was), buf_str(&is)))
                abort();
        for (size_t i = 0; i < n; i++)
                check_edit(&edits[i], buf_str(&after));
        return 0;
}
