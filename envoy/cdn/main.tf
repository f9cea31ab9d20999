# Google Cloud: the same with Terraform (provider google 6.20 or newer). The image is a container with one file, plugin.wasm.
variable "project" { type = string }
variable "image" { type = string }           # REGION-docker.pkg.dev/PROJECT/REPOSITORY/azeotrope-edge:TAG
variable "forwarding_rule" { type = string } # self_link of the load balancer's forwarding rule

resource "google_network_services_wasm_plugin" "azeotrope" {
  project         = var.project
  name            = "azeotrope"
  main_version_id = "v1"

  log_config {
    enable        = true
    sample_rate   = 1
    min_log_level = "WARN"
  }

  versions {
    version_name       = "v1"
    image_uri          = var.image
    plugin_config_data = filebase64("${path.module}/plugin.json")
  }
}

resource "google_network_services_lb_traffic_extension" "azeotrope" {
  project               = var.project
  name                  = "azeotrope"
  location              = "global"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  forwarding_rules      = [var.forwarding_rule]

  extension_chains {
    name = "llm"
    match_condition {
      cel_expression = "request.method == 'POST'"
    }
    extensions {
      name             = "azeotrope"
      service          = google_network_services_wasm_plugin.azeotrope.id
      fail_open        = true
      supported_events = ["REQUEST_HEADERS", "REQUEST_BODY"]
    }
  }
}
