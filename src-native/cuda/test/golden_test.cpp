/* Whole tiny models against stored logits of a float64 implementation (src/test/resources/fixtures). */
#include <algorithm>
#include <numeric>

#include "check.h"
#include "model/safetensors.h"
#include "model/step.h"

namespace {

std::filesystem::path fixtures() {
    const char *given = std::getenv("MOEBIUS_FIXTURES");
    return given ? given : "../../src/test/resources/fixtures";
}

std::vector<int> integers(const Json &array) {
    std::vector<int> values;
    for (const Json &item : array.items) values.push_back(int(item.number));
    return values;
}

/* Logits of the last token of each prompt: prefilled all at once, and with the last token decoded after the others. */
std::vector<float> last_logits(Device &device, const Model &model, const std::vector<std::vector<int>> &prompts, bool decode_last) {
    int blocks = 0, block = 0;
    for (auto &prompt : prompts) blocks += int(prompt.size()) / 16 + 1;
    Cache cache = Cache::allocate(device, model.shape, blocks, MOEBIUS_CUDA_BF16);
    Batch before, last;
    for (auto &prompt : prompts) {
        int length = int(prompt.size()) - (decode_last ? 1 : 0), same = block;
        if (length > 0) before.add({prompt.begin(), prompt.begin() + length}, 0, block);
        block = same;
        if (decode_last) last.add({prompt.back()}, length, same);
        block += int(prompt.size()) / 16 + 1;
    }
    auto run = [&](const Step &step) {
        device.overlap(true);
        step.run();
        device.overlap(false);
    };
    if (!before.tokens.empty()) run(Step(device, model, cache, before));
    Step step(device, model, cache, decode_last ? last : before);
    run(step);
    std::vector<float> logits = step.logits();
    std::vector<int> drawn = step.drawn();
    for (std::size_t row = 0; row < drawn.size(); row++) {
        auto begin = logits.begin() + row * model.shape.vocabulary;
        check(drawn[row] == std::max_element(begin, begin + model.shape.vocabulary) - begin, "the sampler draws the largest logit");
    }
    return logits;
}

/* The largest difference of a row's logits, over the range of the expected ones. */
double distance(const float *actual, const RawTensor &expected, std::size_t first, int count) {
    float low = INFINITY, high = -INFINITY;
    double largest = 0;
    for (int i = 0; i < count; i++) {
        float v = expected.float32(first + i);
        low = std::min(low, v);
        high = std::max(high, v);
        largest = std::max(largest, std::fabs(double(actual[i]) - v));
    }
    return largest / (high - low);
}

void run(Device &device, const std::string &name, const std::string &mode, double tolerance) {
    std::filesystem::path folder = fixtures() / name;
    Model model = load_model(device, folder, mode == "w8a16");
    Safetensors goldens;
    goldens.add(folder / "golden.safetensors");
    std::vector<std::vector<int>> prompts;
    std::vector<int> numbers;
    Json golden_file = JsonReader::read(read_file(folder / "golden.json"));
    for (const Json &prompt : golden_file.at("prompts").items) {
        if (device.emulated() && prompt.at("ids").items.size() > 23) continue; /* slow there */
        numbers.push_back(int(prompt.at("id").number));
        prompts.push_back(integers(prompt.at("ids")));
    }
    auto prefilled = last_logits(device, model, prompts, false), decoded = last_logits(device, model, prompts, true);
    check(prefilled == decoded, name + ", " + mode + ": decoded logits have the bytes of prefilled ones");
    double worst = 0, sum = 0;
    for (std::size_t p = 0; p < prompts.size(); p++) {
        std::string key = "p" + std::to_string(numbers[p]) + "." + mode + ".logits";
        bool last = goldens.has(key + "_last");
        const RawTensor &golden = goldens.at(last ? key + "_last" : key);
        double d = distance(&prefilled[p * model.shape.vocabulary], golden, last ? 0 : (prompts[p].size() - 1) * model.shape.vocabulary, model.shape.vocabulary);
        worst = std::max(worst, d);
        sum += d;
    }
    std::printf("       %s, %s: largest difference of a logit %.2f %% of their range, mean over prompts %.2f %%\n", name.c_str(), mode.c_str(), worst * 100, sum / prompts.size() * 100);
    check(worst <= tolerance, name + ", " + mode + ": logits differ by " + std::to_string(worst) + " of their range");
}

}  // namespace

TEST(golden_logits_of_fp8_models_are_met_with_e4m3_inputs) {
    run(device, "m-friendli-fp8", "w8a8", 0.06);
    run(device, "s-fp8-block", "w8a8", 0.06);
}
TEST(golden_logits_of_fp8_models_are_met_with_16_bit_inputs) {
    run(device, "m-friendli-fp8", "w8a16", 0.01);
    run(device, "s-fp8-block", "w8a16", 0.01);
}
TEST(golden_logits_of_every_architecture_are_met) {
    for (const char *name : {"a-llama", "a-mistral-window", "a-mixtral-window", "a-qwen2", "a-qwen3", "a-qwen3-moe"}) run(device, name, "w8a16", 0.01);
}
