/*
 * Reads main.cf syntax (postconf(5)): a line that begins with white space continues the one
 * before it, across comment and empty lines in between; the newline between them disappears and
 * the white space stays. Never opens, expands or judges anything.
 */

#include "common/role/config-parse.h"

void config_parser_init(ConfigParser *parser, Str text) {
        *parser = (ConfigParser){
                .rest = text,
                .logical = BUF_INIT(CONFIG_FILE_MAX_BYTES),
        };
}

void config_parser_deinit(ConfigParser *parser) {
        buf_deinit(&parser->logical);
}

bool config_parse_is_comment(Str line) {
        line = str_trim(line);
        return str_is_empty(line) || line.data[0] == '#';
}

/* Collect one logical line. 0, CONFIG_PARSE_E_END or a failure of the buffer. */
static int read_logical_line(ConfigParser *parser, ConfigLine *ret) {
        buf_reset(&parser->logical);
        while (!str_is_empty(parser->rest)) {
                Str line = str_first(parser->rest, str_find(parser->rest, '\n'));
                bool skip = config_parse_is_comment(line);

                if (!skip && parser->logical.len > 0 && !ascii_is_space(line.data[0]))
                        return 0;
                parser->rest = str_skip(parser->rest, line.len + 1);
                parser->n_lines++;
                if (skip)
                        continue;
                if (parser->logical.len == 0) {
                        ret->line = parser->n_lines;
                        ret->indented = ascii_is_space(line.data[0]);
                }
                if (buf_append_str(&parser->logical, line) != 0)
                        return parser->logical.error;
        }
        return parser->logical.len > 0 ? 0 : CONFIG_PARSE_E_END;
}

Str config_parse_name(Str text) {
        size_t n = 0;

        text = str_trim(text);
        while (n < text.len && text.data[n] != '=' && !ascii_is_space(text.data[n]))
                n++;
        return str_first(text, n);
}

int config_parse_setting(Str text, Str *ret_name, Str *ret_value, const char **ret_reason) {
        text = str_trim(text);
        *ret_name = config_parse_name(text);
        *ret_value = str_trim(str_skip(text, ret_name->len));
        if (str_contains(text, '\0'))
                *ret_reason = "a NUL byte";
        else if (str_is_empty(*ret_value) || ret_value->data[0] != '=')
                *ret_reason = "no '=' after the parameter name";
        else if (str_is_empty(*ret_name))
                *ret_reason = "no parameter name before '='";
        else
                *ret_reason = NULL;
        *ret_value = str_trim(str_skip(*ret_value, 1));
        return *ret_reason ? CONFIG_PARSE_E_SYNTAX : 0;
}

int config_parser_next(ConfigParser *parser, ConfigLine *ret) {
        int r;

        *ret = (ConfigLine){ 0 };
        r = read_logical_line(parser, ret);
        if (r == BUF_E_FULL && parser->logical.error == BUF_E_FULL) {
                ret->reason = "line too long";
                return CONFIG_PARSE_E_SYNTAX;
        }
        if (r != 0)
                return r;
        return config_parse_setting(buf_str(&parser->logical), &ret->name, &ret->value,
                                    &ret->reason);
}
