package io.moebius.launch;

import io.moebius.launch.FlagType.Choice;
import io.moebius.launch.FlagType.ReadableFile;
import io.moebius.launch.FlagType.Switch;
import io.moebius.launch.FlagType.Text;
import io.moebius.launch.FlagType.Whole;
import java.util.List;

/** Which model is served, and how its text is read. */
final class ModelFlags {

    static final Flag HF_MODEL_NAME = Flag.of(
            "hf-model-name", new Text("ORG/NAME or a folder"), "moebius/demo-moe-fp8",
            "Model to serve: a repository id of the Hugging Face Hub, fetched where the cache lacks it, or a folder; the default is built in.");
    static final Flag REVISION =
            Flag.of("revision", new Text("branch, tag or commit"), "main",
                    "Revision of the model; of a commit that is in the cache its beginning is enough.");
    static final Flag SERVED_MODEL_NAME =
            Flag.of("served-model-name", new Text("a name"), null, "Name of the model in the API; the default is --hf-model-name.");
    static final Flag TOKENIZER_FILE_PATH =
            Flag.of("tokenizer-file-path", new ReadableFile(), null, "Another tokenizer.json than the model's.");
    static final Flag TOKENIZER_ADD_SPECIAL_TOKENS = Flag.of(
            "tokenizer-add-special-tokens", new Switch(), "true", "Put the beginning-of-sequence token before a text prompt.");
    static final Flag TOKENIZER_SKIP_SPECIAL_TOKENS =
            Flag.of("tokenizer-skip-special-tokens", new Switch(), "true", "Leave special tokens out of answers.");
    static final Flag MAX_SEQUENCE_LENGTH = Flag.of(
            "max-sequence-length", new Whole(2, 1 << 24), null, "Most tokens of prompt and answer together; the default is the model's.");
    static final Flag BAD_STOP_FILE_PATH =
            Flag.notYet("bad-stop-file-path", new Text("a path"), "", "JSON file of default stop and bad words.");
    static final Flag DTYPE = Flag.notYet("dtype", new Choice("auto", "bf16", "fp16", "fp32"), "auto", "Type of unquantised weights.");
    static final Flag QUANTIZATION = Flag.of(
            "quantization", new Choice("8bit", "4bit", "16bit"), null,
            "Convert linear layers while loading: 16-bit ones to FP8 (8bit), any to 4 bits in groups (4bit), FP8 to bf16 (16bit).");
    static final Flag ADAPTER_MODEL = Flag.notYet("adapter-model", new Text("NAME:PATH"), "", "LoRA adapters.");
    static final Flag MAX_INPUT_LENGTH =
            Flag.notYet("max-input-length", new Whole(1, 1 << 24), "", "Longest input of encoder-decoder models.");
    static final Flag MAX_OUTPUT_LENGTH =
            Flag.notYet("max-output-length", new Whole(1, 1 << 24), "", "Longest output of encoder-decoder models.");

    static final List<Flag> ALL = List.of(
            HF_MODEL_NAME, REVISION, SERVED_MODEL_NAME, TOKENIZER_FILE_PATH, TOKENIZER_ADD_SPECIAL_TOKENS,
            TOKENIZER_SKIP_SPECIAL_TOKENS, MAX_SEQUENCE_LENGTH, BAD_STOP_FILE_PATH, DTYPE, QUANTIZATION, ADAPTER_MODEL,
            MAX_INPUT_LENGTH, MAX_OUTPUT_LENGTH);

    private ModelFlags() {}
}
