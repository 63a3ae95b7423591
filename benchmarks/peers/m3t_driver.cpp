// Follows one object through images with the peer's library, and says how much processor time each frame took.
//
// usage: m3t_driver JOB
//
// The job is a text file of words: the mesh (OBJ) and its unit in metres; a folder for what the peer keeps of a mesh,
// and how often it divides its sphere of views; the folder of colours and their file type; the folder of depth, or -,
// and metres per unit; fx fy cx cy width height; the number of frames. For each frame: its number, 1 to begin anew at
// the pose that follows or 0 to go on, how many rounds of correspondences, R (9) and t (3) in metres.
//
// Printed for each frame: number, milliseconds of processor time, R (9), t (3). Reading and decoding is not counted.

#include <omp.h>

#include <ctime>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <memory>
#include <opencv2/core.hpp>
#include <string>

#include <m3t/body.h>
#include <m3t/depth_modality.h>
#include <m3t/depth_model.h>
#include <m3t/link.h>
#include <m3t/loader_camera.h>
#include <m3t/optimizer.h>
#include <m3t/region_modality.h>
#include <m3t/region_model.h>
#include <m3t/tracker.h>

namespace {

double CpuMilliseconds() {
  timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return 1e3 * now.tv_sec + 1e-6 * now.tv_nsec;
}

m3t::Transform3fA ReadPose(std::istream &in) {
  m3t::Transform3fA pose = m3t::Transform3fA::Identity();
  for (int row = 0; row < 3; ++row)
    for (int column = 0; column < 3; ++column) in >> pose.matrix()(row, column);
  for (int row = 0; row < 3; ++row) in >> pose.matrix()(row, 3);
  return pose;
}

int Fail(const std::string &why) {
  std::cerr << why << std::endl;
  return 1;
}

}  // namespace

int main(int count, char **arguments) {
  if (count != 2) return Fail("usage: m3t_driver JOB");
  std::ifstream job{arguments[1]};
  std::string mesh, kept, colours, kind, depths;
  float unit, depth_unit;
  int divides, frames;
  m3t::Intrinsics view;
  job >> mesh >> unit >> kept >> divides >> colours >> kind >> depths >> depth_unit;
  job >> view.fu >> view.fv >> view.ppu >> view.ppv >> view.width >> view.height >> frames;
  if (!job) return Fail("the job cannot be read");
  const bool with_depth = depths != "-";

  auto body = std::make_shared<m3t::Body>("body", mesh, unit, true, false, m3t::Transform3fA::Identity());
  if (!body->SetUp()) return Fail("the mesh cannot be read");
  auto region_model = std::make_shared<m3t::RegionModel>("region", body, kept + "/region.bin", 0.8f, divides);
  auto depth_model = std::make_shared<m3t::DepthModel>("depth", body, kept + "/depth.bin", 0.8f, divides);
  if (!region_model->SetUp() || (with_depth && !depth_model->SetUp())) return Fail("no model was made of the mesh");
  omp_set_num_threads(1);
  cv::setNumThreads(1);

  auto color = std::make_shared<m3t::LoaderColorCamera>("color", colours, view, "", 0, 6, "", kind);
  auto depth = std::make_shared<m3t::LoaderDepthCamera>("depth", with_depth ? depths : colours, view, depth_unit, "", 0,
                                                        6, "", "png");
  auto link = std::make_shared<m3t::Link>("link", body);
  link->AddModality(std::make_shared<m3t::RegionModality>("region", body, color, region_model));
  if (with_depth) link->AddModality(std::make_shared<m3t::DepthModality>("depth", body, depth, depth_model));
  auto optimizer = std::make_shared<m3t::Optimizer>("optimizer", link);
  m3t::Tracker tracker{"tracker"};
  tracker.AddOptimizer(optimizer);

  bool ready = false;
  std::cout << std::setprecision(9);
  for (int k = 0; k < frames; ++k) {
    int number, anew, rounds;
    job >> number >> anew >> rounds;
    const auto pose = ReadPose(job);
    if (!job) return Fail("the job ends too early");
    if (!ready) {
      color->set_load_index(number);
      depth->set_load_index(number);
      if (!tracker.SetUp()) return Fail("the tracker cannot be set up");
      ready = true;
    }
    color->set_load_index(number);  // cameras count on by themselves, and read an image when they are set up
    depth->set_load_index(number);
    if (!color->SetUp() || (with_depth && !depth->SetUp())) return Fail("an image is missing");
    tracker.set_n_corr_iterations(rounds);
    if (anew) {
      body->set_body2world_pose(pose);
      if (!tracker.StartModalities(k)) return Fail("the tracker cannot begin");
    }
    const double began = CpuMilliseconds();
    if (!tracker.ExecuteTrackingStep(k)) return Fail("a frame cannot be followed");
    const double took = CpuMilliseconds() - began;
    const auto &found = body->body2world_pose().matrix();
    std::cout << number << ' ' << took;
    for (int row = 0; row < 3; ++row)
      for (int column = 0; column < 3; ++column) std::cout << ' ' << found(row, column);
    for (int row = 0; row < 3; ++row) std::cout << ' ' << found(row, 3);
    std::cout << std::endl;
  }
  return 0;
}
