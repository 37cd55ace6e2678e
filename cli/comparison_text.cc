#include "comparison_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace zeropoint::cli {
namespace {

using toolchain::Deviation;
using toolchain::Evaluation;
using toolchain::LayerMeasurement;
using toolchain::Measurement;
using toolchain::OutputMeasurement;

std::string decibels(double ratio) {
  return std::isinf(ratio) && ratio > 0 ? "exact" : fmt::format("{:.1f}", ratio);
}

/// The end of a long name says more than its beginning.
std::string shortened(const std::string& name, std::size_t width) {
  return name.size() <= width ? name : "…" + name.substr(name.size() - width + 1);
}

/// Clipping, rounding and constants as shares of the isolated error, in percent.
std::string parts_of(const LayerMeasurement& layer) {
  double all = layer.clipping + layer.rounding + layer.constants;
  if (all == 0) {
    return fmt::format("{:>4} {:>4} {:>4}", "-", "-", "-");
  }
  return fmt::format("{:>4.0f} {:>4.0f} {:>4.0f}", 100 * layer.clipping / all, 100 * layer.rounding / all,
                     100 * layer.constants / all);
}

std::string layer_line(const LayerMeasurement& layer) {
  constexpr int kName = 26;
  std::string name = shortened(layer.tensor, kName);
  // A name that was cut begins with a character of three bytes.
  int width = kName + static_cast<int>(name.size() > 2 && name[0] == '\xE2' ? 2 : 0);
  return fmt::format("{:<{}}  {:<10.10} {:<7} {:>6} {:>6} {:>7.4f} {:>9.3g}  {}  {:>7} {:>5}  {:>6}\n", name,
                     width, layer.op, layer.type, decibels(layer.isolated.sqnr_db),
                     decibels(layer.cumulative.sqnr_db), layer.cumulative.cosine, layer.cumulative.largest,
                     parts_of(layer), layer.is_quantized ? fmt::format("{:.3f}", 100 * layer.saturated) : "-",
                     layer.is_quantized ? fmt::format("{:.1f}", layer.effective_bits) : "-",
                     decibels(layer.worst.sqnr_db));
}

std::string scores_text(const ComparisonReport& report) {
  const Measurement& measurement = report.measurement;
  std::string text;
  for (const OutputMeasurement& output : measurement.outputs) {
    text +=
        fmt::format("output  {}: SQNR {} dB, cosine {:.6f}, largest error {:.4g}\n", output.tensor,
                    decibels(output.deviation.sqnr_db), output.deviation.cosine, output.deviation.largest);
    if (output.rows > 0) {
      text += fmt::format("agrees  {:.2f} %   {} of {} have the same first class\n",
                          100.0 * static_cast<double>(output.agreeing) / static_cast<double>(output.rows),
                          output.agreeing, output.rows);
    }
  }
  if (measurement.float_scores && measurement.quantized_scores) {
    const Evaluation& before = *measurement.float_scores;
    const Evaluation& after = *measurement.quantized_scores;
    text += fmt::format("top-1   {:.2f} % -> {:.2f} %   {} -> {} of {}\n", 100 * before.accuracy(),
                        100 * after.accuracy(), before.correct, after.correct, after.count);
    if (report.is_text) {
      text +=
          fmt::format("perplexity {:.4f} -> {:.4f}\n", std::exp(before.mean_loss), std::exp(after.mean_loss));
    } else {
      text += fmt::format("loss    {:.4f} -> {:.4f}\n", before.mean_loss, after.mean_loss);
    }
  }
  return text;
}

nlohmann::ordered_json number(double value) {
  return std::isfinite(value) ? nlohmann::ordered_json(value) : nlohmann::ordered_json(nullptr);
}

nlohmann::ordered_json deviation_json(const Deviation& deviation) {
  return {{"sqnr_db", number(deviation.sqnr_db)},
          {"cosine", deviation.cosine},
          {"largest_error", number(deviation.largest)}};
}

nlohmann::ordered_json constant_json(const toolchain::ConstantMeasurement& constant) {
  return {{"tensor", constant.tensor},
          {"type", constant.type},
          {"per_channel", constant.per_channel},
          {"sqnr_db", number(constant.sqnr_db)},
          {"worst_channel", constant.worst.channel},
          {"worst_channel_sqnr_db", number(constant.worst.sqnr_db)},
          {"median_channel_sqnr_db", number(constant.median_db)},
          {"saturated", constant.saturated},
          {"spread", constant.spread},
          {"slack", constant.slack},
          {"gain", constant.gain}};
}

nlohmann::ordered_json layer_json(const LayerMeasurement& layer) {
  nlohmann::ordered_json json{{"tensor", layer.tensor},
                              {"node", layer.node},
                              {"op", layer.op},
                              {"type", layer.type},
                              {"only_moves", layer.only_moves},
                              {"elements", layer.elements},
                              {"seen", {layer.smallest_seen, layer.largest_seen}},
                              {"isolated", deviation_json(layer.isolated)},
                              {"cumulative", deviation_json(layer.cumulative)},
                              {"clipping", layer.clipping},
                              {"rounding", layer.rounding},
                              {"constants", layer.constants},
                              {"constant_shift", layer.constant_shift},
                              {"worst_channel", layer.worst.channel},
                              {"worst_channel_sqnr_db", number(layer.worst.sqnr_db)},
                              {"median_channel_sqnr_db", number(layer.median_db)}};
  if (layer.is_quantized) {
    json["scale"] = layer.params.scale;
    json["zero_point"] = layer.params.zero_point;
    json["range"] = {layer.lowest, layer.highest};
    json["saturated"] = layer.saturated;
    json["effective_bits"] = layer.effective_bits;
  }
  if (layer.weights) {
    json["weights"] = constant_json(*layer.weights);
  }
  if (layer.bias) {
    json["bias"] = constant_json(*layer.bias);
  }
  return json;
}

nlohmann::ordered_json scores_json(const Evaluation& scores, bool is_text) {
  nlohmann::ordered_json json{{"count", scores.count},
                              {"correct", scores.correct},
                              {"top1", scores.accuracy()},
                              {"loss", number(scores.mean_loss)}};
  if (is_text) {
    json["perplexity"] = number(std::exp(scores.mean_loss));
  }
  return json;
}

}  // namespace

std::string to_text(const ComparisonReport& report, const ComparisonTextOptions& options) {
  const Measurement& measurement = report.measurement;
  std::string text = fmt::format(
      "{} beside {}, on {} samples: {}\n\n"
      "                                              SQNR, dB                 largest  error, %        "
      "beyond  bits  "
      "worst\n"
      "{:<26}  {:<10} {:<7} {:>6} {:>6} {:>7} {:>9}  {:>4} {:>4} {:>4}  {:>7} {:>5} {:>7}\n",
      report.quantized, report.reference, measurement.samples, measurement.data, "tensor", "made by", "type",
      "alone", "all", "cosine", "error", "clip", "rnd", "wgt", "range %", "used", "channel");
  for (const LayerMeasurement& layer : measurement.layers) {
    if (!layer.only_moves || options.moved) {
      text += layer_line(layer);
    }
  }
  text += "\n" + scores_text(report);
  for (const std::string& tensor : measurement.unmatched) {
    text += fmt::format("not compared: '{}', which the float network does not have\n", tensor);
  }
  std::size_t count = std::min(options.findings, report.findings.size());
  text += count > 0 ? "\nwhere it is lost, the worst layer first (its own loss, all else in float):\n" : "";
  for (std::size_t i = 0; i < count; ++i) {
    const toolchain::Finding& finding = report.findings[i];
    std::string made = finding.node.empty() ? finding.op : fmt::format("{} '{}'", finding.op, finding.node);
    text += fmt::format("{}. '{}' ({}), {} dB: {}\n   {}\n   {}: {}\n", i + 1, finding.tensor, made,
                        decibels(finding.sqnr_db), name_of(finding.cause), finding.why, finding.cure,
                        finding.command);
  }
  return text;
}

nlohmann::ordered_json to_json(const ComparisonReport& report) {
  const Measurement& measurement = report.measurement;
  nlohmann::ordered_json json{{"model", report.reference},
                              {"quantized", report.quantized},
                              {"data", measurement.data},
                              {"samples", measurement.samples}};
  json["layers"] = nlohmann::ordered_json::array();
  for (const LayerMeasurement& layer : measurement.layers) {
    json["layers"].push_back(layer_json(layer));
  }
  json["outputs"] = nlohmann::ordered_json::array();
  for (const OutputMeasurement& output : measurement.outputs) {
    nlohmann::ordered_json item = deviation_json(output.deviation);
    item["tensor"] = output.tensor;
    item["rows"] = output.rows;
    item["agreeing"] = output.agreeing;
    if (output.rows > 0) {
      item["divergence"] = number(output.divergence);
      item["divergence_error"] = number(output.divergence_error);
      item["expected_loss"] = number(output.expected_loss);
      item["expected_loss_error"] = number(output.expected_loss_error);
    }
    json["outputs"].push_back(std::move(item));
  }
  if (measurement.float_scores && measurement.quantized_scores) {
    json["float_scores"] = scores_json(*measurement.float_scores, report.is_text);
    json["quantized_scores"] = scores_json(*measurement.quantized_scores, report.is_text);
  }
  json["not_compared"] = measurement.unmatched;
  json["verdict"] = nlohmann::ordered_json::array();
  for (const toolchain::Finding& finding : report.findings) {
    json["verdict"].push_back({{"tensor", finding.tensor},
                               {"node", finding.node},
                               {"op", finding.op},
                               {"cause", name_of(finding.cause)},
                               {"is_fault", finding.is_fault},
                               {"sqnr_db", number(finding.sqnr_db)},
                               {"why", finding.why},
                               {"cure", finding.cure},
                               {"command", finding.command}});
  }
  return json;
}

}  // namespace zeropoint::cli
