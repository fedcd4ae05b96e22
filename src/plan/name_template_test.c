/* name_template: what templates of Forklift's documentation give, and what is refused. */
#include "plan/name_template.h"
#include <string.h>

static json_t *data(void)
{
    return json_pack("{s:s, s:s, s:s, s:i, s:b, s:s, s:s}", "PlanName", "Quarterly-Migration-2026", "VmName",
                     "Web_01", "TargetVmName", "web-01", "DiskIndex", 2, "Shared", 0, "FileName",
                     "[ds] web/web_2.vmdk", "NetworkType", "multus");
}

static const struct {
    const char *text, *result;
} good[] = {
    {"plain", "plain"},
    {"", ""},
    {"{{.VmName}}", "Web_01"},
    {"{{trunc 9 .PlanName}}-{{trunc 15 .TargetVmName}}-disk-{{.DiskIndex}}", "Quarterly-web-01-disk-2"},
    {"{{ .VmName | lower | replace \"_\" \"-\" }}", "web-01"},
    {"{{mustRegexReplaceAll \"[^a-z0-9]+\" (lower .FileName) \"-\" | trimAll \"-\"}}", "ds-web-web-2-vmdk"},
    {"{{ regexReplaceAll \"(\\\\w+)_(\\\\d+)\" .VmName \"${2}$1\" }}", "01Web"},
    {"{{if .Shared}}shared{{else}}disk{{end}}-{{add 1 .DiskIndex}}", "disk-3"},
    {"{{if eq .NetworkType \"pod\"}}a{{else if eq .NetworkType \"multus\"}}b{{else}}c{{end}}", "b"},
    {"{{if and (gt .DiskIndex 1) (not .Shared)}}x{{end}}", "x"},
    {"a {{- .DiskIndex -}} b", "a2b"},
    {"{{trunc -4 .PlanName}}", "2026"},
    {"{{substr 0 3 .VmName}}{{substr 4 -1 .VmName}}", "Web01"},
    {"{{max 1 .DiskIndex 7}}{{min 3 .DiskIndex}}{{mod 7 4}}{{div 9 2}}{{mul 3 3}}{{sub 1 2}}", "72349-1"},
    {"{{trimPrefix \"Web\" .VmName}}{{trimSuffix \"01\" .VmName}}", "_01Web_"},
    {"{{default \"none\" \"\"}}{{`raw\\`}}{{len .VmName}}", "noneraw\\6"},
    {"{{`}}`}}", "}}"},
};

static const struct {
    const char *text, *words;
} bad[] = {
    {"{{.Nothing}}", "no field '.Nothing'"},
    {"{{nothing 1}}", "no function 'nothing'"},
    {"{{lower}}", "lower takes 1 argument, not 0"},
    {"{{trunc .VmName}}", "trunc takes 2 arguments, not 1"},
    {"{{.VmName", "'}}' is missing"},
    {"{{\"x}}", "does not end with \""},
    {"{{(.VmName}}", "')' is missing"},
    {"{{.VmName | .PlanName}}", "a function is wanted after '|'"},
    {"{{.VmName .PlanName}}", "'|' or '}}' is wanted"},
    {"{{if .Shared}}x", "'{{end}}' is missing"},
    {"x{{end}}", "without '{{if}}'"},
    {"{{div 1 0}}", "arguments of div"},
    {"{{mustRegexReplaceAll \"(\" .VmName \"\"}}", "arguments of mustRegexReplaceAll"},
    {"{{}}", "is wanted"},
    {"{{add 1 2 3 4 5 6 7 8 9}}", "too many arguments"},
};

static void names_are_made_as_forklift_makes_them(void)
{
    g_autoptr(json_t) values = data();

    for (guint i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *result = name_template_expand(good[i].text, values, &error);
        g_assert_no_error(error);
        g_assert_cmpstr(result, ==, good[i].result);
    }
}

static void a_wrong_template_is_refused_with_the_place(void)
{
    g_autoptr(json_t) values = data();

    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(name_template_expand(bad[i].text, values, &error));
        g_assert_error(error, GANTRY_ERROR, ERROR_BAD_INPUT);
        if (!strstr(error->message, bad[i].words) || !strstr(error->message, "character"))
            g_error("%s: %s", bad[i].text, error->message);
    }
}

static void length_and_depth_are_limited(void)
{
    g_autoptr(json_t) values = data();
    g_autofree char *longest = g_strnfill(1025, 'x'), *open = g_strnfill(100, '(');
    g_autofree char *deep = g_strdup_printf("{{%s", open);
    g_autoptr(GString) ifs = g_string_new(NULL), repeats = g_string_new(NULL);
    g_autoptr(GError) error = NULL;

    g_assert_null(name_template_expand(longest, values, &error));
    g_clear_error(&error);
    g_assert_null(name_template_expand(deep, values, &error));
    g_assert_nonnull(strstr(error->message, "nested too deep"));
    g_clear_error(&error);
    for (guint i = 0; i < 60; i++)
        g_string_append(ifs, "{{if true}}");
    g_assert_null(name_template_expand(ifs->str, values, &error));
    g_assert_nonnull(strstr(error->message, "nested too deep"));
    g_clear_error(&error);
    for (guint i = 0; i < 70; i++)
        g_string_append(repeats, "{{.PlanName}}");
    g_assert_null(name_template_expand(repeats->str, values, &error));
    g_assert_nonnull(strstr(error->message, "longer than"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define CASE(text, function) g_test_add_func("/plan/name_template/" text, function)
    CASE("names are made as Forklift makes them", names_are_made_as_forklift_makes_them);
    CASE("a wrong template is refused with the place", a_wrong_template_is_refused_with_the_place);
    CASE("length and depth are limited", length_and_depth_are_limited);
    return g_test_run();
}
