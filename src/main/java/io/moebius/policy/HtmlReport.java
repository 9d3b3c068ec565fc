package io.moebius.policy;

import io.moebius.backend.Site;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Locale;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;

/** A policy as a page: for each site its time against the token count, with the defaults and as chosen. */
public final class HtmlReport {

    private static final int WIDTH = 520;
    private static final int HEIGHT = 220;
    private static final int LEFT = 64;
    private static final int BOTTOM = 34;
    private static final int TOP = 12;
    private static final int RIGHT = 16;

    private HtmlReport() {}

    /** Writes the page beside {@code policyFile}: NAME.html. */
    public static void write(Policy policy, Path policyFile) {
        Path page = policyFile.resolveSibling(policyFile.getFileName().toString().replaceAll("\\.json$", "") + ".html");
        try {
            PolicyFolder.replace(page, page(policy).getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new PolicyException("the report %s cannot be written (%s)".formatted(page, e.getMessage()));
        }
    }

    static String page(Policy policy) {
        StringBuilder out = new StringBuilder("""
                <!doctype html>
                <html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
                <title>Moebius policy</title>
                <style>
                :root { color-scheme: light dark; --ink: #1c2430; --quiet: #5d6778; --rule: #d8dde5; --paper: #fff; --before: #8a94a6; --now: #2563eb; --bound: #15803d }
                @media (prefers-color-scheme: dark) { :root { --ink: #e6e9ef; --quiet: #9aa4b5; --rule: #343d4b; --paper: #12161c; --before: #7a8598; --now: #6ea8fe; --bound: #4ade80 } }
                body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 1180px; padding: 0 1rem; color: var(--ink); background: var(--paper) }
                h1 { font-size: 1.5rem } h2 { font-size: 1rem; margin: 0 0 .4rem; overflow-wrap: anywhere }
                dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem } dt { color: var(--quiet) } dd { margin: 0; overflow-wrap: anywhere }
                .charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(520px, 100%), 1fr)); gap: 1.5rem }
                figure { margin: 0; border: 1px solid var(--rule); border-radius: 8px; padding: 1rem; overflow-x: auto }
                svg { width: 100%; height: auto } text { font: 11px system-ui, sans-serif; fill: var(--quiet) } line { stroke: var(--rule) }
                polyline { fill: none; stroke: currentColor; stroke-width: 2; stroke-linejoin: round } circle { fill: currentColor }
                .before { color: var(--before) } .now { color: var(--now) } .bound { color: var(--bound) } polyline.bound { stroke-dasharray: 5 4 }
                table { border-collapse: collapse; width: 100%; font-size: 12px; margin-top: .6rem } td, th { text-align: right; padding: .12rem .3rem; white-space: nowrap; font-variant-numeric: tabular-nums }
                td:nth-child(2), th:nth-child(2) { text-align: left } th { font-weight: 600 } tr.same td { color: var(--quiet) }
                td.share { background: linear-gradient(to right, color-mix(in srgb, var(--bound) 30%, transparent) var(--share), transparent var(--share)) }
                .key span { margin-right: 1em } .key i { display: inline-block; width: 1.4em; height: 3px; vertical-align: middle; margin-right: .4em; background: currentColor }
                .key .bound { background: none; height: 0; border-top: 2px dashed }
                </style>
                <h1>Policy</h1>
                <dl>
                """);
        policy.origin().fields().forEach((field, value) ->
                out.append("<dt>%s</dt><dd>%s</dd>\n".formatted(escaped(field), escaped(value.toString()))));
        long changed = policy.choices().stream().filter(Choice::changed).count();
        out.append("</dl>\n<p>%d of %d choices differ from the defaults.</p>\n".formatted(changed, policy.choices().size()));
        Report.ofSteps(policy).forEach(line -> out.append("<p>Whole steps: ").append(escaped(line)).append(".</p>\n"));
        out.append("""
                <p>Median time of all calls of a site in one step, by the tokens of the step:</p>
                <p class="key"><span><i class="before"></i>default</span><span><i class="now"></i>chosen</span>
                <span><i class="bound"></i>bound: what the machine's measured read bandwidth and peak allow</span></p>
                <div class="charts">
                """);
        policy.ofKernels().forEach((site, choices) -> out.append(figure(site, choices)));
        return out.append("</div>\n</html>\n").toString();
    }

    private static String figure(Site site, TreeMap<Integer, Choice> choices) {
        StringBuilder out = new StringBuilder("<figure><h2>%s</h2>\n".formatted(escaped(site.toString())));
        out.append(chart(choices));
        out.append("<table><tr><th>tokens</th><th>variant</th><th>default</th><th>chosen</th><th>gain</th><th>of bound</th></tr>\n");
        choices.forEach((tokens, choice) -> out.append(String.format(
                Locale.ROOT,
                "<tr%s><td>%d</td><td>%s</td><td>%s</td><td>%s</td><td>%s</td>%s</tr>%n",
                choice.changed() ? "" : " class=\"same\"",
                tokens, escaped(choice.variant()), time(choice.defaultMicros()), time(choice.micros()),
                choice.changed() ? String.format(Locale.ROOT, "%.2f&times;", choice.gain()) : "", share(choice))));
        return out.append("</table></figure>\n").toString();
    }

    /** Of the bound, with a bar behind the figure. */
    private static String share(Choice choice) {
        return choice.boundMicros() == 0
                ? "<td></td>"
                : String.format(Locale.ROOT, "<td class=\"share\" style=\"--share: %.0f%%\">%.0f %%</td>",
                        Math.min(100, 100 * choice.boundFraction()), 100 * choice.boundFraction());
    }

    /** Both axes logarithmic. */
    private static String chart(TreeMap<Integer, Choice> choices) {
        Collection<Choice> all = choices.values();
        double least = Math.log10(all.stream().mapToDouble(HtmlReport::least).min().orElse(1));
        double most = Math.log10(all.stream().mapToDouble(c -> Math.max(c.micros(), c.defaultMicros())).max().orElse(10));
        double low = Math.floor(least);
        double high = Math.max(low + 1, Math.ceil(most));
        double steps = Math.max(1, log2(choices.lastKey()));
        StringBuilder out = new StringBuilder("<svg viewBox=\"0 0 %d %d\" role=\"img\">\n".formatted(WIDTH, HEIGHT));
        for (int decade = (int) low; decade <= high; decade++) {
            double y = y(decade, low, high);
            out.append(String.format(Locale.ROOT,
                    "<line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/><text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>%n",
                    LEFT, WIDTH - RIGHT, y, y, LEFT - 6, y + 4, time(Math.pow(10, decade))));
        }
        choices.keySet().forEach(tokens -> out.append(String.format(Locale.ROOT,
                "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%d</text>%n", x(tokens, steps), HEIGHT - BOTTOM + 18, tokens)));
        out.append(line(choices, Choice::defaultMicros, "before", steps, low, high));
        out.append(line(choices, Choice::micros, "now", steps, low, high));
        choices.forEach((tokens, choice) -> out.append(String.format(
                Locale.ROOT, "<circle class=\"now\" cx=\"%.1f\" cy=\"%.1f\" r=\"%s\"><title>%d tokens: %s, %s</title></circle>%n",
                x(tokens, steps), y(Math.log10(Math.max(choice.micros(), 1e-3)), low, high), choice.changed() ? "4" : "2", tokens,
                escaped(choice.variant()), time(choice.micros()))));
        if (all.stream().allMatch(choice -> choice.boundMicros() > 0)) {
            out.append(line(choices, Choice::boundMicros, "bound", steps, low, high));
        }
        return out.append("</svg>\n").toString();
    }

    private static String line(
            TreeMap<Integer, Choice> choices, ToDoubleFunction<Choice> micros, String kind, double steps, double low, double high) {
        StringBuilder points = new StringBuilder();
        choices.forEach((tokens, choice) -> points.append(String.format(
                Locale.ROOT, "%.1f,%.1f ", x(tokens, steps), y(Math.log10(Math.max(micros.applyAsDouble(choice), 1e-3)), low, high))));
        return "<polyline class=\"%s\" points=\"%s\"/>\n".formatted(kind, points.toString().strip());
    }

    private static double least(Choice choice) {
        double measured = Math.min(choice.micros(), choice.defaultMicros());
        return choice.boundMicros() > 0 ? Math.min(measured, choice.boundMicros()) : measured;
    }

    private static double x(int tokens, double steps) {
        return LEFT + 12 + log2(tokens) / steps * (WIDTH - LEFT - RIGHT - 24);
    }

    private static double y(double log, double low, double high) {
        return TOP + (high - log) / (high - low) * (HEIGHT - TOP - BOTTOM);
    }

    private static double log2(int tokens) {
        return Math.log(tokens) / Math.log(2);
    }

    private static String time(double micros) {
        return micros >= 1e6 ? String.format(Locale.ROOT, "%.3g s", micros / 1e6)
                : micros >= 1e3 ? String.format(Locale.ROOT, "%.3g ms", micros / 1e3)
                : String.format(Locale.ROOT, "%.3g &micro;s", micros);
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\"", "&quot;");
    }
}
