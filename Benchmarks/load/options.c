#include "options.h"

#include "bytes.h"

#include <stdlib.h>
#include <string.h>

const char *option_text(const struct options *options, const char *name, const char *otherwise)
{
    for (int word = 0; word + 1 < options->count; word += 2)
        if (strcmp(options->words[word], name) == 0) return options->words[word + 1];
    return otherwise;
}

double option_number(const struct options *options, const char *name, double otherwise)
{
    const char *text = option_text(options, name, NULL);
    if (!text) return otherwise;
    char *end;
    double number = strtod(text, &end);
    if (end == text || *end || number < 0) fail("%s takes a number, not %s", name, text);
    return number;
}

const char *option_required(const struct options *options, const char *name)
{
    const char *text = option_text(options, name, NULL);
    if (!text) fail("%s is missing", name);
    return text;
}
